"""The command line as scripts and people use it: results, JSON, faults, exit codes."""

from __future__ import annotations

import json
import re
import socket
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pliant.cli import COMMANDS, main
from tests.programs import Ran, pliant

TASK: dict[str, Any] = {"kind": "entity", "name": "task", "type": "object", "properties": {"name": {"type": "string"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of documents with one entity."""
    write(tmp_path / "documents" / "entities" / "task.json", TASK)
    return tmp_path / "documents"


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def ok(ran: Ran) -> Any:
    assert ran.code == 0, ran.err + ran.out
    assert "Traceback" not in ran.err
    return ran.json


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def test_a_company_from_cradle_to_grave(tmp_path: Path, folder: Path) -> None:
    made = ok(pliant(tmp_path, "company", "create", "Acme 公司", "--documents", str(folder), "--id", "acme", "--json"))
    assert made["company"] == "acme"
    assert made["token"].startswith("plt_acme_")
    listed = ok(pliant(tmp_path, "company", "list", "--json"))
    assert listed == [{"id": "acme", "name": "Acme 公司", "state": "ACTIVE"}]
    member = ok(pliant(tmp_path, "member", "add", "Ann", "--email", "ann@x.example", "--role", "owner", "--json"))
    token = pliant(tmp_path, "token", "create", "ann@x.example", "--role", "owner", "--name", "ci")
    assert token.out.startswith("token: plt_acme_")
    tokens = ok(pliant(tmp_path, "token", "list", "--json"))
    assert [(item["name"], item["member"] == member["member"]) for item in tokens] == [("owner", False), ("ci", True)]
    assert ok(pliant(tmp_path, "token", "revoke", tokens[1]["id"], "--json")) == {"revoked": tokens[1]["id"]}
    assert len(ok(pliant(tmp_path, "token", "list", "--json"))) == 1
    assert pliant(tmp_path, "company", "delete", "acme", "--yes").out == "deleted: acme\n"
    assert ok(pliant(tmp_path, "company", "list", "--json")) == []


def test_documents_are_planned_applied_and_exported(tmp_path: Path, folder: Path) -> None:
    ok(pliant(tmp_path, "company", "create", "Acme", "--json"))
    planned = ok(pliant(tmp_path, "plan", str(folder), "--json"))
    assert {"change": "added", "subject": "entity", "path": ["task"]} in planned["changes"]
    assert planned["faults"] == []
    applied = ok(pliant(tmp_path, "apply", str(folder), "--expect", str(planned["version"]), "--json"))
    assert applied["version"] == planned["version"] + 1
    assert ok(pliant(tmp_path, "plan", str(folder), "--json"))["changes"] == []
    ok(pliant(tmp_path, "export", str(tmp_path / "out"), "--json"))
    exported = tmp_path / "out" / "entities" / "task.json"
    assert exported.read_bytes() == (folder / "entities" / "task.json").read_bytes()
    stale = pliant(tmp_path, "apply", str(folder), "--expect", "99", "--json")
    assert (stale.code, stale.json["error"]["code"]) == (1, "CONFLICT")
    exported.unlink()
    pruned = ok(pliant(tmp_path, "plan", str(tmp_path / "out"), "--prune", "--json"))
    assert [change["change"] for change in pruned["changes"] if change["subject"] == "entity"] == ["removed"]


def test_faults_of_documents_have_file_line_and_column(tmp_path: Path, folder: Path) -> None:
    ok(pliant(tmp_path, "company", "create", "Acme", "--json"))
    write(folder / "entities" / "task.json", {**TASK, "properties": {"name": {"type": "strin"}}})
    for command in ("plan", "apply"):
        told = pliant(tmp_path, command, str(folder))
        assert told.code == 1
        assert "entities/task.json:" in told.err + told.out
    as_json = pliant(tmp_path, "apply", str(folder), "--json")
    fault = as_json.json["error"]["faults"][0]
    assert fault["details"]["file"] == "entities/task.json"
    assert fault["details"]["line"] > 1
    write(folder / "entities" / "task.json", TASK)
    (folder / "entities" / "bad.json").write_text("{", encoding="utf-8")
    broken = pliant(tmp_path, "apply", str(folder))
    assert broken.code == 1
    assert "entities/bad.json:1:" in broken.err


def test_adopt_leaves_an_edited_document_alone(tmp_path: Path) -> None:
    (tmp_path / "pet.json").write_text('{"title": "Pet", "type": "object", "properties": {"name": {"type": "string"}}}')
    target = tmp_path / "entities" / "pet.json"
    for _ in range(2):
        assert pliant(tmp_path, "adopt", str(tmp_path / "pet.json"), "-o", str(target)).code == 0
    target.write_text(target.read_text().replace('"Pet"', '"Our pet"'))
    refused = pliant(tmp_path, "adopt", str(tmp_path / "pet.json"), "-o", str(target))
    assert (refused.code, "--force" in refused.err, "Our pet" in target.read_text()) == (1, True, True)
    assert pliant(tmp_path, "adopt", str(tmp_path / "pet.json"), "-o", str(target), "--force").code == 0
    assert "Our pet" not in target.read_text()


def test_adopt_needs_no_database(tmp_path: Path) -> None:
    foreign = {"title": "Sales Person", "type": "object", "properties": {"first_name": {"type": "string"}, "id": {}}}
    write(tmp_path / "foreign.json", foreign)
    shown = pliant(tmp_path, "adopt", str(tmp_path / "foreign.json"))
    assert shown.code == 0
    assert "firstName" in json.loads(shown.out)["properties"]
    assert "entity salesPerson: 2 fields" in shown.err
    assert re.search(r"^  firstName +text +was first_name$", shown.err, re.MULTILINE)
    target = tmp_path / "out" / "entities" / "salesPerson.json"
    told = ok(pliant(tmp_path, "adopt", str(tmp_path / "foreign.json"), "-o", str(target), "--json"))
    assert json.loads(target.read_text(encoding="utf-8")) == told["document"]
    assert {"renamed"} <= {note["what"] for note in told["notes"]}
    assert not (tmp_path / "companies").exists()
    called = target.with_name("person.json")
    ok(pliant(tmp_path, "adopt", str(tmp_path / "foreign.json"), "-o", str(called), "--json"))
    assert json.loads(called.read_text(encoding="utf-8"))["name"] == "person"  # as its file is called
    into = pliant(tmp_path, "adopt", str(tmp_path / "foreign.json"), "-o", f"{tmp_path}/new/entities/", LANG="zh_CN")
    assert "实体 salesPerson：2 个字段" in into.err
    assert (tmp_path / "new" / "entities" / "salesPerson.json").exists()
    (tmp_path / "foreign.json").write_text('{"a": NaN}', encoding="utf-8")
    assert pliant(tmp_path, "adopt", str(tmp_path / "foreign.json")).code == 1


def test_plans_of_nothing_and_of_faults(tmp_path: Path, folder: Path) -> None:
    ok(pliant(tmp_path, "company", "create", "Acme", "--documents", str(folder), "--json"))
    assert pliant(tmp_path, "plan", str(folder)).out == "Nothing changes.\n"
    assert pliant(tmp_path, "apply", str(folder)).out.startswith("nothing changes\nversion: ")
    write(folder / "entities" / "task.json", {**TASK, "required": ["nmae"]})
    told = pliant(tmp_path, "plan", str(folder))
    assert (told.code, "nothing changes" in told.out) == (1, False)
    assert "required/0: unknown field 'nmae'" in told.out


def test_a_company_must_be_named_when_there_are_several(tmp_path: Path) -> None:
    none = pliant(tmp_path, "token", "list", "--json")
    assert (none.code, none.json["error"]["code"]) == (1, "BAD_USER_INPUT")
    for name in ("one", "two"):
        ok(pliant(tmp_path, "company", "create", name, "--id", name, "--json"))
    assert "--company" in pliant(tmp_path, "token", "list").err
    assert pliant(tmp_path, "token", "list", "--company", "one").code == 0
    assert pliant(tmp_path, "token", "list", PLIANT_COMPANY="two").code == 0
    unknown = pliant(tmp_path, "token", "list", "--company", "three", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (1, "NOT_FOUND")


def test_messages_are_chinese_where_the_environment_is(tmp_path: Path) -> None:
    assert "错误: " in pliant(tmp_path, "company", "delete", "nobody", "--yes", LANG="zh_CN.UTF-8").err
    assert "error: " in pliant(tmp_path, "company", "delete", "nobody", "--yes", LANG="de_DE.UTF-8").err


def test_wrong_usage_is_2_and_an_unreachable_database_3(tmp_path: Path) -> None:
    assert pliant(tmp_path, "companies").code == 2
    assert pliant(tmp_path, "serve", "--port", "70000").code == 2
    (tmp_path / "file").write_text("")
    for command in (["company", "list"], ["doctor"]):  # what the system says is told to the operator
        unusable = pliant(tmp_path, *command, PLIANT_DATA_DIR=str(tmp_path / "file"))
        assert unusable.code == 3
        assert "Not a directory" in unusable.out + unusable.err
        assert "Traceback" not in unusable.err
    away = {"PLIANT_DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    told = pliant(tmp_path, "company", "list", "--json", **away)
    assert told.code == 3, told.err
    assert "The database cannot be reached (" in told.json["error"]["message"]
    assert "Traceback" not in told.err
    assert pliant(tmp_path, "doctor", **away).code == 3
    assert pliant(tmp_path, "serve", "--port", "0", **away).code == 3


@pytest.mark.parametrize(
    "environment",
    [{"PLIANT_LIMIT_NOTHING": "1"}, {"PLIANT_LIMIT_PAGE_SIZE": "x"}, {"PLIANT_DATABASE_URL": "mysql://x"}],
    ids=str,
)
def test_wrong_settings_are_told(tmp_path: Path, environment: dict[str, str]) -> None:
    told = pliant(tmp_path, "company", "list", **environment)
    assert told.code == 1
    assert "Traceback" not in told.err


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        told = pliant(tmp_path, "serve", "--port", str(taken.getsockname()[1]))
    assert told.code == 1
    assert "choose another address with --host and --port (Address already in use)" in told.err


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        pliant(tmp_path, "serve", "--port", str(taken.getsockname()[1]))
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
