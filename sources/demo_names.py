"""Names for generated data: made up, English and Chinese, none of a real person or company on purpose."""

from __future__ import annotations

SYLLABLES = (
    "ver",
    "lan",
    "tor",
    "mel",
    "san",
    "dri",
    "kol",
    "bex",
    "quil",
    "zan",
    "pol",
    "fen",
    "gar",
    "lim",
    "nor",
    "vis",
)
"""Two or three make the name of an account."""

ENDINGS = ("tech", "works", "soft", "line", "health", "trade", "media", "field", "point", "Group", " Labs", " & Co")

CHINESE_ACCOUNTS = (
    "上海云帆科技",
    "上海明远医疗",
    "上海海棠零售",
    "北京启航软件",
    "北京青松传媒",
    "深圳南星电子",
    "广州白云商贸",
    "杭州西溪网络",
    "成都锦江服务",
    "苏州金鸡湖精工",
    "武汉东湖光电",
    "南京紫金咨询",
)
"""Accounts with Chinese names, so that search can be tried in Chinese."""

LOCATIONS = (
    "United States",
    "United States",
    "United States",
    "Germany",
    "Japan",
    "Brazil",
    "Norway",
    "Kenya",
    "Italy",
)

FIRST_NAMES = (
    "Ada", "Bela", "Carl", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jun", "Kira", "Leo", "Mina", "Nils", "Olga",
    "Pia", "Quinn", "Rosa", "Sven", "Tessa", "Uma", "Vito", "Wanda", "Xenia", "Yuri", "Zoe",
)  # fmt: skip

LAST_NAMES = (
    "Ambler", "Brook", "Calder", "Dunmore", "Eastman", "Fielding", "Granger", "Hollis", "Ives", "Jarrow", "Keller",
    "Lorne", "Marlow", "Norwood", "Oakes", "Penrose", "Quist", "Rowan", "Selby", "Thorne", "Underhill", "Vance",
    "Wexley", "Yarrow", "Zeller",
)  # fmt: skip

CHINESE_PEOPLE = ("王芳", "李伟", "张敏", "刘洋", "陈静")
"""Agents with Chinese names."""

PRODUCTS = (
    ("Alto Basic", "Alto", "550"),
    ("Alto Pro", "Alto", "4821"),
    ("Alto Plus Basic", "Alto", "1096"),
    ("Alto Plus Pro", "Alto", "5482"),
    ("Mira Special", "Mira", "55"),
    ("Mira Advanced", "Mira", "3393"),
    ("Titan 500", "Titan", "26768"),
)
"""Name, series, price."""

PRODUCT_WEIGHTS = (21, 17, 16, 11, 19, 15, 1)
"""How often each is sold: the dear one rarely."""

SECTORS = (
    "RETAIL", "TECHNOLOGY", "MEDICAL", "MARKETING", "FINANCE", "SOFTWARE", "ENTERTAINMENT", "TELECOMMUNICATIONS",
    "SERVICES", "EMPLOYMENT",
)  # fmt: skip

OFFICES = (("CENTRAL", "Central"), ("EAST", "East"), ("WEST", "West"))
"""Choice value of the regional office, and the name of its team."""
