"""A publish of the command line that has to be prepared is waited for; what is removed is shown by `trash`."""

from __future__ import annotations

from pathlib import Path

from tests.pliant.test_changes import task
from tests.pliant.test_cli import TASK, ok, write
from tests.programs import pliant


def test_a_large_table_is_prepared_and_its_trash_listed(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    texts = {**TASK["properties"], "size": {"type": "string"}}
    write(folder / "entities" / "task.json", task(properties=texts))
    ok(pliant(tmp_path, "company", "create", "Acme", "--documents", str(folder), "--json"))
    rows = "name,size\n" + "".join(f"task {number},{number}\n" for number in range(10_500))
    (tmp_path / "tasks.csv").write_text(rows, encoding="utf-8")
    ok(pliant(tmp_path, "import", "task", str(tmp_path / "tasks.csv"), "--json"))
    write(folder / "entities" / "task.json", task(properties={**texts, "size": {"type": "integer"}}))
    done = pliant(tmp_path, "apply", str(folder))
    assert (done.code, done.out.splitlines()[-1]) == (0, "version: 2"), done.err
    (listed,) = ok(pliant(tmp_path, "publications", "--json"))
    assert (listed["state"], listed["baseVersion"], listed["version"]) == ("ACTIVE", 1, 2)
    assert listed["id"] in pliant(tmp_path, "publications").out
    write(folder / "entities" / "task.json", TASK)
    assert pliant(tmp_path, "apply", str(folder)).code == 1
    ok(pliant(tmp_path, "apply", str(folder), "--allow-loss", "task.size", "--json"))
    gone = [item for item in ok(pliant(tmp_path, "trash", "--json")) if item["removedVersion"] == 3]
    assert [(item["kind"], item["path"]) for item in gone] == [("field", "task.size")]
    assert "task.size  version 3" in pliant(tmp_path, "trash").out
    back = pliant(tmp_path, "rollback", "2")
    assert (back.code, back.out.splitlines()[-1]) == (0, "version: 4"), back.err
    left = ok(pliant(tmp_path, "trash", "--json"))
    assert [item for item in left if item["removedVersion"] == 3] == [], "it came back with its values"


def test_an_empty_trash(tmp_path: Path) -> None:
    ok(pliant(tmp_path, "company", "create", "Acme", "--json"))
    assert pliant(tmp_path, "trash").out == "nothing\n"
    assert pliant(tmp_path, "publications", LANG="zh_CN.UTF-8").out == "无\n"
