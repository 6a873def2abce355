"""The text of a preview: every group is there, cut where it is long, and the last line says what would happen."""

from __future__ import annotations

import re

from base.errors import Fault, Text
from metadata.build import Documents
from metadata.publishing.cost import TableWork, cost_of
from metadata.publishing.document_diff import diff_documents
from metadata.publishing.uses import Dependent
from pliant.blast import as_json, lines
from resolvers.failing import FailingRows, Sample
from resolvers.preview import ClientUse, Preview, SchemaChange, Severity

BEFORE: Documents = {("entity", "deal"): {"kind": "entity", "name": "deal", "required": ["a", "b"], "title": "Deal"}}
AFTER: Documents = {
    ("entity", "deal"): {"kind": "entity", "name": "deal", "required": ["b", "a"], "title": "Order"},
    ("role", "clerk"): {"kind": "role", "name": "clerk"},
}
FULL = Preview(
    7,
    (Fault(("entity", "deal"), "DOCUMENT_ROWS", Text("some records stand against it", "有记录阻止")),),
    diff_documents(BEFORE, AFTER),
    (),
    tuple(
        SchemaChange(Severity.BREAKING, f"Deal.f{n}", Text(f"Deal.f{n} was removed.", f"字段 Deal.f{n} 将被移除"))
        for n in range(20)
    ),
    (
        FailingRows(
            ("entity", "deal", "properties", "a"), Text("have no a", "的“a”为空"), 1234, True, None,
            (Sample("id-1", "First"),), "{ deals { totalCount } }",
        ),
        FailingRows(("entity", "deal"), Text("fail what is new", "不符合新规定"), 0, False, 100_000),
    ),
    (
        Dependent(("deal", "a"), ("role", "seller"), ("entities", "deal")),
        Dependent(("deal", "a"), ("entity", "deal"), ("x-display",)),
    ),
    (
        ClientUse(("Deal.f1",), "sha256:1", "Pipeline", "t", "bot", None, 41, "2026-11-27T00:00:00Z"),
        ClientUse(("Deal.f2",), "sha256:2", "Save", "t", "bot", "lead-capture", 7, "2026-11-27T00:00:00Z"),
    ),
    cost_of([TableWork("deal", "deal", 50_000, columns=1, indexes=1, fills=50_000)], prepared=True),
)  # fmt: skip


def test_a_full_preview_is_told_in_groups() -> None:
    told = "\n".join(lines(FULL, "en"))
    for part in (
        "~ entity/deal", "required: another order", 'title: "Deal" -> "Order"', "+ role/clerk",
        "some records stand against it", "1,234 records have no a", "id-1  First", "list them: { deals",
        "0 records of the first 100,000", "20 breaking", "and 8 more", "deal.a <- role/seller entities/deal\n",
        "deal.a <- entity/deal x-display (changed here too)",
        "Pipeline by bot: Deal.f1", "Save by bot from form lead-capture: Deal.f2; 7 times",
        "deal: 50,000 rows, 1 new columns (instant)", "no table is rewritten",
    ):  # fmt: skip
        assert part in told, part
    assert lines(FULL, "en")[-1] == "1 to add, 1 to change, 0 to remove; 1 fault: cannot be applied."
    assert "\x1b[" not in told


def test_it_speaks_chinese_and_colour() -> None:
    told = lines(FULL, "zh-Hans", colour=True)
    assert told[-1] == "新增 1 份、修改 1 份、移除 0 份文档；1 个问题：无法应用。"
    assert any("\x1b[31m" in line for line in told)
    assert not re.search(r"[a-z]{4,} [a-z]{4,} [a-z]{4,}", "\n".join(told).replace("list them", "")), told


def test_an_empty_preview_says_so() -> None:
    assert lines(Preview(1), "en") == ["Nothing changes."]
    assert as_json(Preview(1), "en")["summary"] == "Nothing changes."


def test_programs_get_all_of_it() -> None:
    told = as_json(FULL, "en")
    assert len(told["schema"]) == 20  # type: ignore[arg-type]
    assert told["cost"]["prepared"] is True  # type: ignore[index, call-overload]
