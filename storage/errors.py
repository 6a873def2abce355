"""What can go wrong in storage. Messages hold no SQL and no path: the cause hangs behind them, for the log."""

from __future__ import annotations

from base.errors import LimitExceeded, PliantError, Text


class StorageError(PliantError):
    """The root of storage's errors; itself: the database failed in a way that has no better name."""

    text_default = Text("The database could not do this", "数据库无法完成此操作")

    def __init__(self, text: Text | None = None) -> None:
        super().__init__(text or self.text_default)


class Busy(StorageError):
    """No answer in time: locks held by others, or a write that takes too long. Worth another try."""

    text_default = Text("The database is busy; try again in a moment", "数据库繁忙，请稍后重试")


class TooSlow(Busy):
    """A reading statement was given up after `request_seconds`: another try would take as long."""

    code = LimitExceeded.code

    def __init__(self, seconds: float) -> None:
        super().__init__(
            Text(
                f"The database takes more than {seconds:g} s for this: ask for less; "
                "a write may still have been done (use idempotencyKey)",
                f"数据库处理超过 {seconds:g} 秒：请减少请求内容；写入可能已经完成（请使用 idempotencyKey）",
            )
        )
        self.details = {"limit": "request_seconds", "max": seconds}


class StatementRefused(StorageError):
    """The database does not accept a statement: overtaken by a schema change, or values that it cannot keep."""

    text_default = Text("The database refused the statement; try again", "数据库拒绝了该语句，请重试")


class StatementTooDeep(StatementRefused):
    """The database's parser takes no statement that is nested so deep (SQLite before 3.46: a hundred symbols)."""

    code = LimitExceeded.code
    text_default = Text(
        "This request is nested too deep for the database; ask for less at once",
        "该请求对数据库而言嵌套过深，请拆分后再试",
    )


class ValueTooLong(StorageError):
    """PostgreSQL keeps no value of more than about 2,700 bytes, compressed, in an index or a unique rule."""

    code = LimitExceeded.code
    text_default = Text(
        "A text is too long for the index or unique rule that its field is in: shorten it, or drop that",
        "文本过长，超出其字段所在索引或唯一规则的上限：请缩短文本，或去掉该索引或规则",
    )


class StorageFull(StorageError):
    """No space left where the database lives. Nothing of the write was kept."""

    text_default = Text("The database has no space left; make room and try again", "数据库存储空间已满，请清理后重试")


class Unreachable(StorageError):
    """The database does not answer. A write under way may or may not have been kept: ask again with its key."""

    text_default = Text("The database cannot be reached", "无法连接数据库")


class Damaged(StorageError):
    """The database's file is no database or is damaged: restore it from a backup."""

    text_default = Text("The database is damaged; restore it from a backup", "数据库已损坏，请从备份恢复")


class NamespaceMissing(StorageError):
    """There is no such namespace: the company was never created, or was dropped."""

    text_default = Text("This company's data does not exist", "该公司的数据不存在")
