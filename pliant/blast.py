"""A preview as text for people (`pliant plan`) and as JSON for programs.

The text is grouped by what a reader asks in turn: what changes, what stands against it, which records fail, who
notices, what it costs. The last line says what would happen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from base.errors import Text
from base.json import Json, dump
from metadata.publishing.cost import Cost, TableCost
from metadata.publishing.document_diff import Difference, DocumentDifference, JsonChange
from pliant.changes import change_json
from pliant.terminal import fault_json, fault_line
from resolvers.failing import FailingRows
from resolvers.preview import ClientUse, Preview, SchemaChange, Severity

MAX_LISTED: Final = 12
"""Lines of one group; the rest is counted. `--json` has all of it."""

QUERY_CHARS: Final = 300
"""Longer queries, those that name ids, are left to `--json`."""

_COLOURS: Final = {"+": "green", "-": "red", "~": "yellow", "!": "red"}
_SIGNS: Final = {
    Difference.ADDED: "+",
    Difference.REMOVED: "-",
    Difference.CHANGED: "~",
    Difference.REORDERED: "~",
    Difference.RENAMED: "~",
}
_SEVERITIES: Final = {
    Severity.BREAKING: ("!", Text("breaking", "不兼容")),
    Severity.DANGEROUS: ("~", Text("dangerous", "有风险")),
    Severity.SAFE: ("+", Text("safe", "安全")),
}
_NOTHING: Final = Text("Nothing changes.", "没有变化。")


@dataclass(frozen=True, slots=True)
class _Words:
    """Language and colour of what is written."""

    locale: str
    colour: bool

    def text(self, en: str, zh: str) -> str:
        """One of two."""
        return Text(en, zh).localized(self.locale)

    def title(self, en: str, zh: str) -> str:
        """The head of a group."""
        shown = self.text(en, zh)
        return click.style(shown, bold=True) if self.colour else shown

    def sign(self, sign: str, rest: str) -> str:
        """A line behind its sign."""
        line = f"{sign} {rest}"
        return click.style(line, fg=_COLOURS[sign]) if self.colour and sign in _COLOURS else line

    def dim(self, line: str) -> str:
        """What stands behind the matter."""
        return click.style(line, dim=True) if self.colour else line

    def cut(self, listed: Sequence[str]) -> list[str]:
        """The first lines of a group, and how many more there are."""
        rest = len(listed) - MAX_LISTED
        if rest <= 0:
            return list(listed)
        return [
            *listed[:MAX_LISTED],
            self.dim(
                "  " + self.text(f"… and {rest} more (--json has all)", f"…… 另有 {rest} 项（--json 可查看全部）")
            ),
        ]


def lines(preview: Preview, locale: str, *, colour: bool = False) -> list[str]:
    """The preview, grouped, a line each; `colour` adds escapes for a terminal. The last line says what would come."""
    words = _Words(locale, colour)
    groups = [
        _documents(preview, words),
        _faults(preview, words),
        _records(preview, words),
        _schema(preview, words),
        _dependents(preview, words),
        _clients(preview, words),
        _cost(preview.cost, words),
    ]
    told = [line for group in groups if group for line in (*group, "")]
    return [*told, summary(preview, locale)]


def summary(preview: Preview, locale: str) -> str:
    """What would happen: how much is added, changed, removed, and whether it can be applied."""
    if not preview.documents and not preview.faults:
        return _NOTHING.localized(locale)
    kinds = Counter(_SIGNS[item.kind] for item in preview.documents)
    added, changed, removed = kinds["+"], kinds["~"], kinds["-"]
    faults = len(preview.faults)
    en = f"{added} to add, {changed} to change, {removed} to remove"
    zh = f"新增 {added} 份、修改 {changed} 份、移除 {removed} 份文档"
    if faults:
        en += f"; {faults} fault{'s' if faults > 1 else ''}: cannot be applied."
        zh += f"；{faults} 个问题：无法应用。"
    elif preview.cost.prepared:
        en += "; would be prepared while the present version is served."
        zh += "；将在当前版本继续服务的同时逐步准备。"
    else:
        en, zh = f"{en}; one transaction.", f"{zh}；一次事务完成。"
    return Text(en, zh).localized(locale)


def as_json(preview: Preview, locale: str) -> dict[str, Json]:
    """The preview for programs."""
    return {
        "version": preview.version,
        "changes": [change_json(change) for change in preview.changes],
        "faults": [fault_json(fault, locale) for fault in preview.faults],
        "documents": [_document_json(item) for item in preview.documents],
        "schema": [
            {"severity": item.severity.value, "coordinate": item.coordinate, "message": item.text.localized(locale)}
            for item in preview.schema
        ],
        "records": [_failing_json(item, locale) for item in preview.rows],
        "dependents": [
            {"thing": ".".join(item.thing), "document": "/".join(item.document), "path": list(item.path)}
            for item in preview.dependents
        ],
        "clients": [_client_json(item) for item in preview.clients],
        "cost": {
            "prepared": preview.cost.prepared,
            "seconds": round(preview.cost.seconds, 3),
            "blockedMs": round(preview.cost.blocked_ms, 1),
            "tables": [_table_json(item) for item in preview.cost.tables],
        },
        "summary": summary(preview, locale),
    }


def _documents(preview: Preview, words: _Words) -> list[str]:
    if not preview.documents:
        return []
    found = [words.title("Documents", "文档")]
    for item in preview.documents:
        was = words.text(f" (was {item.was})", f"（原 {item.was}）") if item.was else ""
        found.append(words.sign(_SIGNS[item.kind], "/".join(item.document) + was))
        listed = [f"    {words.sign(_SIGNS[change.kind], _value_line(change, words))}" for change in item.changes]
        if item.more:
            listed += [""] * item.more
        found += words.cut(listed)
    return found


def _value_line(change: JsonChange, words: _Words) -> str:
    path = ".".join(change.path)
    match change.kind:
        case Difference.ADDED:
            return f"{path}: {_value(change.after)}"
        case Difference.REMOVED:
            return f"{path}: {_value(change.before)}"
        case Difference.REORDERED:
            return words.text(f"{path}: another order", f"{path}：顺序改变")
        case Difference.RENAMED:
            return words.text(f"{path}: renamed, was {change.before}", f"{path}：由 {change.before} 更名")
    return f"{path}: {_value(change.before)} -> {_value(change.after)}"


def _value(value: Json) -> str:
    # what was cut is text by now, and not to be quoted again
    return value if isinstance(value, str) and value.endswith("…") else dump(value).decode()


def _faults(preview: Preview, words: _Words) -> list[str]:
    if not preview.faults:
        return []
    told = [words.sign("!", fault_line(fault, words.locale)) for fault in preview.faults]
    return [words.title("Faults", "问题"), *told]


def _records(preview: Preview, words: _Words) -> list[str]:
    if not preview.rows:
        return []
    return [words.title("Records", "记录"), *(line for item in preview.rows for line in _failing(item, words))]


def _failing(item: FailingRows, words: _Words) -> Iterator[str]:
    text = item.text.localized(words.locale)
    where = "/".join(item.path[1:])
    if item.count is None:
        yield words.sign("~", words.text(f"{where}: not counted: who may {text}", f"{where}：未统计：{text}"))
    else:
        scanned = (
            ""
            if item.scanned is None
            else words.text(f" of the first {item.scanned:,}", f"（仅检查前 {item.scanned:,} 条）")
        )
        line = words.text(
            f"{where}: {item.count:,} records{scanned} {text}", f"{where}：{item.count:,} 条记录{scanned}{text}"
        )
        yield words.sign("!" if item.blocks else "~", line)
    for sample in item.samples:
        yield words.dim(f"    {sample.id}  {sample.display or ''}".rstrip())
    if item.query is None or not item.count:
        return
    if len(item.query) <= QUERY_CHARS:
        yield words.dim("    " + words.text("list them: ", "查询：") + item.query)
    elif item.count > len(item.samples):
        yield words.dim("    " + words.text("… (--json has a query for more)", "……（--json 中有查询更多记录的语句）"))


def _schema(preview: Preview, words: _Words) -> list[str]:
    if not preview.schema:
        return []
    by_severity: dict[Severity, list[SchemaChange]] = {}
    for item in preview.schema:
        by_severity.setdefault(item.severity, []).append(item)
    counts = ", ".join(
        f"{len(found)} {_SEVERITIES[key][1].localized(words.locale)}" for key, found in by_severity.items()
    )
    told = [words.title(f"GraphQL: {counts}", f"GraphQL：{counts}")]
    for severity, found in by_severity.items():
        if severity is not Severity.SAFE:
            sign = _SEVERITIES[severity][0]
            told += words.cut([words.sign(sign, item.text.localized(words.locale)) for item in found])
    return told


def _dependents(preview: Preview, words: _Words) -> list[str]:
    if not preview.dependents:
        return []
    changed = {(item.document[0], item.was or item.document[1]) for item in preview.documents}
    mended = words.text(" (changed here too)", "（此次一并更改）")
    told = [
        f"  {'.'.join(item.thing)} <- {'/'.join(item.document)} {'/'.join(item.path)}".rstrip()
        + (mended if item.document in changed else "")
        for item in preview.dependents
    ]
    return [words.title("Named by documents", "被文档引用"), *words.cut(told)]


def _clients(preview: Preview, words: _Words) -> list[str]:
    if not preview.clients:
        return []
    told = [_client(item, words) for item in preview.clients]
    return [words.title("Used by clients", "客户端使用情况"), *words.cut(told)]


def _client(item: ClientUse, words: _Words) -> str:
    who = item.token_name or item.token or words.text("no token", "无令牌")
    shown = ", ".join(item.coordinates[:3]) + ("…" if len(item.coordinates) > 3 else "")
    name = item.name or item.document
    if item.persisted:
        return words.sign("!", words.text(f"{name} (persisted document): {shown}", f"{name}（持久化文档）：{shown}"))
    form_en, form_zh = (f" from form {item.form}", f"（表单 {item.form}）") if item.form else ("", "")
    en = f"{name} by {who}{form_en}: {shown}; {item.count:,} times, last {item.last_at}"
    return words.sign("!", words.text(en, f"{who} 的 {name}{form_zh}：{shown}；{item.count:,} 次，最近 {item.last_at}"))


def _cost(cost: Cost, words: _Words) -> list[str]:
    if not cost.tables:
        return []
    told = [f"  {_table(item, words)}" for item in cost.tables]
    seconds, wait = _seconds(cost.seconds), f"{cost.blocked_ms:,.0f}"
    total = words.text(
        f"  about {seconds}; readers wait at most about {wait} ms; no table is rewritten",
        f"  约 {seconds}；读取最多等待约 {wait} 毫秒；不重写任何表",
    )
    return [words.title("Cost", "开销"), *words.cut(told), total]


def _table(item: TableCost, words: _Words) -> str:
    work = item.work
    parts = [words.text(f"{work.table}: {work.rows:,} rows", f"{work.table}：{work.rows:,} 行")]
    if work.new:
        parts = [words.text(f"{work.table}: new table", f"{work.table}：新表")]
    elif work.columns:
        parts.append(words.text(f"{work.columns} new columns (instant)", f"新增 {work.columns} 列（即时）"))
    if work.indexes and not work.new:
        parts.append(words.text(f"{work.indexes} new indexes", f"新增 {work.indexes} 个索引"))
    if work.fills:
        parts.append(words.text(f"{work.fills:,} rows to fill", f"填充 {work.fills:,} 行"))
    if work.conversions:
        parts.append(words.text(f"{work.conversions:,} values to convert", f"转换 {work.conversions:,} 个值"))
    return ", ".join(parts)


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


def _document_json(item: DocumentDifference) -> Mapping[str, Json]:
    changes: Iterable[Json] = (
        {"path": list(change.path), "kind": change.kind.value, "before": change.before, "after": change.after}
        for change in item.changes
    )
    return {
        "document": "/".join(item.document), "kind": item.kind.value, "was": item.was, "changes": list(changes),
        "more": item.more,
    }  # fmt: skip


def _failing_json(item: FailingRows, locale: str) -> Mapping[str, Json]:
    return {
        "path": list(item.path), "message": item.text.localized(locale), "count": item.count, "blocks": item.blocks,
        "scanned": item.scanned, "query": item.query,
        "samples": [{"id": sample.id, "display": sample.display} for sample in item.samples],
    }  # fmt: skip


def _client_json(item: ClientUse) -> Mapping[str, Json]:
    return {
        "coordinates": list(item.coordinates), "documentId": item.document, "name": item.name, "tokenId": item.token,
        "tokenName": item.token_name, "form": item.form, "count": item.count, "lastAt": item.last_at,
        "persisted": item.persisted,
    }  # fmt: skip


def _table_json(item: TableCost) -> Mapping[str, Json]:
    work = item.work
    return {
        "entity": work.entity, "table": work.table, "rows": work.rows, "new": work.new, "columns": work.columns,
        "indexes": work.indexes, "fills": work.fills, "conversions": work.conversions,
        "seconds": round(item.seconds, 3), "blockedMs": round(item.blocked_ms, 1),
    }  # fmt: skip
