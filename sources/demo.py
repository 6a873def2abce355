"""Generated data for the CRM template: a year of opportunities that ends today, the same for the same seed and day.

A company team, three regional offices below it, two managers in each, and below each manager a team of sellers. Each
seller owns the opportunities of his agent, so that row rules have something to show: a seller sees those of his team, a
manager those of his office.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Final

from access.member import add_member
from access.store import Writer, Written
from access.team import add_team, update_team
from base.clock import now
from base.errors import BadInput, Fault, Text
from base.json import Json
from records.command import Commands, Create, Saved, Update
from records.snapshot import Snapshot
from records.writing.save import save
from sources import demo_names as names
from sources.seat import Seat
from storage.batch import Cause

ACCOUNTS: Final = 85
AGENTS: Final = 35
OPPORTUNITIES: Final = 2_400
DAYS: Final = 365

_CAUSE = "demo"


@dataclass(frozen=True, slots=True)
class Person:
    """A member who was made: `office` is the choice value of his regional office."""

    id: str
    name: str
    team_id: str
    office: str
    manager: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """What was made: a member for each further role to try, and how many records of each entity."""

    members: Mapping[str, str]  # role -> member id
    counts: Mapping[str, int]


async def generate(seat: Seat, seed: int = 1, rows: int = OPPORTUNITIES) -> Generated:
    """Fill a company that has the CRM template's documents and nothing else with `rows` opportunities.

    Raises `BadInput` when the company refuses the data: it has been reshaped, or holds such data already.
    """
    random = Random(seed)
    managers, sellers = await _people(await seat.writer(), random)
    snapshot = await seat.snapshot()
    accounts = await _create(snapshot, "account", list(_accounts(random)))
    await _subsidiaries(snapshot, accounts, random)
    products = await _create(snapshot, "product", list(_products()))
    agents = await _create(snapshot, "agent", [_agent(seller) for seller in sellers])
    today = now().date()
    deals = _opportunities(random, rows, today, accounts, products, list(zip(agents, sellers, strict=True)))
    made = await _create(snapshot, "opportunity", list(deals))
    seat.committed(seat.company.namespace)
    members = {"manager": managers[0].id, "seller": sellers[0].id}
    counts = {"account": len(accounts), "product": len(products), "agent": len(agents), "opportunity": len(made)}
    return Generated(members, counts)


async def _people(writer: Writer, random: Random) -> tuple[list[Person], list[Person]]:
    """Teams, two managers for each office and the sellers below them; the first seller works for the first manager."""
    company = _id(await add_team(writer, {"name": "Sales"}))
    people = _person_names(random)
    managers: list[Person] = []
    teams: list[str] = []
    for office, title in names.OFFICES:
        place = _id(await add_team(writer, {"name": title, "parentId": company}))
        for _ in range(2):
            manager = await _member(writer, next(people), "manager", place, office)
            managers.append(manager)
            named = {"name": f"{title}: {manager.name}", "parentId": place, "leadId": manager.id}
            teams.append(_id(await add_team(writer, named)))
        _id(await update_team(writer, place, {"leadId": managers[-2].id}))
    sellers: list[Person] = []
    for number in range(AGENTS):
        # Sellers of one manager stand together, as they do in a list of sales teams.
        above = number * len(managers) // AGENTS
        manager = managers[above]
        sellers.append(await _member(writer, next(people), "seller", teams[above], manager.office, manager))
    return managers, sellers


async def _member(
    writer: Writer, name: str, role: str, team: str, office: str, manager: Person | None = None
) -> Person:
    given: dict[str, Json] = {"name": name, "roles": [role], "teamIds": [team]}
    if manager is not None:
        given["managerId"] = manager.id
    if name.isascii():
        given["email"] = f"{name.lower().replace(' ', '.')}@example.com"
    else:
        given["locale"] = "zh-Hans"
    made = _id(await add_member(writer, given))
    return Person(made, name, team, office, manager.name if manager is not None else "")


def _person_names(random: Random) -> Iterator[str]:
    """Names without end, each once; every eighth is Chinese while there are some."""
    chinese = iter(names.CHINESE_PEOPLE)
    pairs = [f"{first} {last}" for first in names.FIRST_NAMES for last in names.LAST_NAMES]
    random.shuffle(pairs)
    for number, pair in enumerate(pairs):
        yield next(chinese, pair) if number % 8 == 7 else pair


def _accounts(random: Random) -> Iterator[dict[str, Json]]:
    seen = set(names.CHINESE_ACCOUNTS)
    for number in range(ACCOUNTS):
        chinese = number % 7 == 3 and number // 7 < len(names.CHINESE_ACCOUNTS)
        name = names.CHINESE_ACCOUNTS[number // 7] if chinese else _account_name(random, seen)
        employees = int(random.lognormvariate(7.6, 1.2)) + 5
        yield {
            "name": name,
            "sector": random.choice(names.SECTORS),
            "yearEstablished": random.randint(1979, 2018),
            "revenue": _money(Decimal(employees) * Decimal(random.randint(20, 60)) / 100),
            "employees": employees,
            "officeLocation": "China" if chinese else random.choice(names.LOCATIONS),
        }


def _account_name(random: Random, seen: set[str]) -> str:
    while True:
        stem = "".join(random.sample(names.SYLLABLES, 2)).capitalize()
        name = stem + random.choice(names.ENDINGS)
        if name not in seen:
            seen.add(name)
            return name


async def _subsidiaries(snapshot: Snapshot, accounts: Sequence[str], random: Random) -> None:
    """Some accounts belong to others, without circles: parents stand among the first ten."""
    children = random.sample(range(10, len(accounts)), 15)
    updates = [
        Update("account", accounts[child], {"subsidiaryOfId": accounts[random.randrange(7)]}) for child in children
    ]
    saved = await save(snapshot, Commands(updates, operation=_CAUSE), _cause(snapshot))
    _refuse(_faults(saved))


def _products() -> Iterator[dict[str, Json]]:
    for name, series, price in names.PRODUCTS:
        yield {"name": name, "series": series, "salesPrice": price}


def _agent(seller: Person) -> dict[str, Json]:
    return {
        "name": seller.name,
        "manager": seller.manager,
        "regionalOffice": seller.office,
        "memberId": seller.id,
        "ownerId": seller.id,
        "teamId": seller.team_id,
    }


def _opportunities(
    random: Random,
    rows: int,
    today: date,
    accounts: Sequence[str],
    products: Sequence[str],
    agents: Sequence[tuple[str, Person]],
) -> Iterator[dict[str, Json]]:
    numbers = random.sample(range(36**5, 36**6), rows)
    weights = [1 + random.random() * 4 for _ in agents]
    for number in numbers:
        agent, seller = random.choices(agents, weights)[0]
        product = random.choices(range(len(products)), names.PRODUCT_WEIGHTS)[0]
        deal = _deal(random, today, Decimal(names.PRODUCTS[product][2]))
        open_deal = deal["stage"] in ("PROSPECTING", "ENGAGING")
        account = None if open_deal and random.random() < 0.3 else random.choice(accounts)
        yield {
            "number": _base36(number),
            "accountId": account,
            "productId": products[product],
            "agentId": agent,
            "ownerId": seller.id,
            "teamId": seller.team_id,
            **deal,
        }


def _deal(random: Random, today: date, price: Decimal) -> dict[str, Json]:
    """Stage, dates and amount that agree with each other."""
    if random.random() < 0.06:
        return {"stage": "PROSPECTING"}
    engaged = today - timedelta(days=random.randrange(DAYS))
    closed = engaged + timedelta(days=random.randint(1, 138))
    if closed > today:
        return {"stage": "ENGAGING", "engagedOn": engaged.isoformat()}
    won = random.random() < 0.63
    amount = price * Decimal(random.randint(80, 120)) / 100 if won else Decimal(0)
    return {
        "stage": "WON" if won else "LOST",
        "engagedOn": engaged.isoformat(),
        "closeOn": closed.isoformat(),
        "amount": _money(amount),
    }


def _money(value: Decimal) -> str:
    return format(value.quantize(Decimal("0.01"), ROUND_HALF_UP), "f")


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest] + digits
    return digits


async def _create(snapshot: Snapshot, entity: str, inputs: Sequence[Mapping[str, Json]]) -> list[str]:
    ids: list[str] = []
    step = snapshot.limits.mutation_rows
    for start in range(0, len(inputs), step):
        items = [Create(entity, input) for input in inputs[start : start + step]]
        saved = await save(snapshot, Commands(items, operation=_CAUSE), _cause(snapshot))
        _refuse(_faults(saved))
        ids += [result.id for result in saved.results if result.id is not None]
    return ids


def _cause(snapshot: Snapshot) -> Cause:
    return Cause(snapshot.actor.member_id, _CAUSE)


def _id(written: Written) -> str:
    _refuse(written.faults)
    assert written.id is not None
    return written.id


def _faults(saved: Saved) -> Sequence[Fault]:
    return [*saved.faults, *(fault for result in saved.results for fault in result.faults)]


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        first, where = faults[0], "/".join(faults[0].path)
        raise BadInput(
            Text(
                f"the data does not fit this company ({where}: {first.text.en})",
                f"数据与该公司不符（{where}：{first.text.zh}）",
            )
        )
