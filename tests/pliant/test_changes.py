"""The command line of changing a model: versions, rollback, applications and upgrades, questions, exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.json import dump
from metadata.folder import LAYERS, read_folder, write_folder
from pliant.house import House
from server.serving import run
from tests.examples import examples
from tests.houses import Client, found_company, opened_house
from tests.pliant.test_cli import TASK, ok, write
from tests.programs import PROGRAM, environment, pliant


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of documents with one entity, published in a company."""
    write(tmp_path / "documents" / "entities" / "task.json", TASK)
    ok(pliant(tmp_path, "company", "create", "Acme", "--documents", str(tmp_path / "documents"), "--json"))
    return tmp_path / "documents"


def task(**words: Any) -> dict[str, Any]:
    """The task with other keywords."""
    return {**TASK, **words}


def files(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_plan_tells_a_script_whether_anything_changes(tmp_path: Path, folder: Path) -> None:
    plan = ("plan", str(folder), "--detailed-exit-code")
    assert pliant(tmp_path, *plan).code == 0
    write(folder / "entities" / "task.json", task(title="Task"))
    assert (pliant(tmp_path, *plan).code, pliant(tmp_path, *plan[:2]).code) == (2, 0)
    write(folder / "entities" / "task.json", task(required=["nope"]))
    assert (pliant(tmp_path, *plan).code, pliant(tmp_path, *plan[:2]).code) == (1, 1)


def test_versions_and_rollback(tmp_path: Path, folder: Path) -> None:
    write(folder / "entities" / "task.json", task(title="Task"))
    write(folder / "entities" / "note.json", {**TASK, "name": "note"})
    ok(pliant(tmp_path, "apply", str(folder), "--json"))
    listed = ok(pliant(tmp_path, "versions", "--json"))
    assert [item["version"] for item in listed] == [2, 1]
    assert listed[0]["changed"] == [
        {"change": "added", "kind": "entity", "name": "note"},
        {"change": "altered", "kind": "entity", "name": "task"},
    ]
    assert "+entity/note, ~entity/task" in pliant(tmp_path, "versions").out
    planned = pliant(tmp_path, "rollback", "1", "--plan")
    assert "- entity/note" in planned.out
    done = pliant(tmp_path, "rollback", "1")
    assert (done.code, done.out.splitlines()[-1]) == (0, "version: 3")
    ok(pliant(tmp_path, "export", str(tmp_path / "out"), "--json"))
    assert json.loads((tmp_path / "out" / "entities" / "task.json").read_bytes()) == TASK
    assert not (tmp_path / "out" / "entities" / "note.json").exists()
    assert pliant(tmp_path, "rollback", "1").out.splitlines() == ["nothing changes", "version: 3"]
    assert pliant(tmp_path, "rollback", "9", "--json").json["error"]["code"] == "NOT_FOUND"


def test_an_application_is_upgraded_and_nothing_overwritten(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    write(shipped / "entities" / "task.json", TASK)
    write(shipped / "entities" / "note.json", {**TASK, "name": "note"})
    ok(pliant(tmp_path, "company", "create", "Acme", "--json"))
    ok(pliant(tmp_path, "apply", str(shipped), "--application", "work@1", "--json"))
    mine = tmp_path / "mine"
    ok(pliant(tmp_path, "export", str(mine), "--json"))
    assert {item["application"] for item in json.loads((mine / LAYERS).read_bytes())["layers"]} == {"work"}
    write(mine / "entities" / "task.json", task(title="Our task", description="Ours"))
    ok(pliant(tmp_path, "apply", str(mine), "--json"))
    write(shipped / "entities" / "task.json", task(title="Their task", **{"x-acme-size": 1}))
    (shipped / "entities" / "note.json").unlink()
    upgrade = ("upgrade", str(shipped), "--application", "work@2")
    refused = pliant(tmp_path, *upgrade, "--json").json["error"]["faults"]
    assert [(item["path"], item["code"], item["details"]) for item in refused] == [
        (["entity", "task"], "CONFLICT", {"paths": "title"})
    ]
    wrong = pliant(tmp_path, *upgrade, "--ours", "entity/note", "--json").json["error"]["faults"]
    assert wrong[0]["path"] == ["entity/note"]
    shown = pliant(tmp_path, *upgrade, "--theirs", "entity/task", "--plan")
    assert "- entity/note" in shown.out
    done = ok(pliant(tmp_path, *upgrade, "--theirs", "entity/task", "--json"))
    assert done["version"] > 1
    ok(pliant(tmp_path, "export", str(mine), "--json"))
    assert json.loads((mine / "entities" / "task.json").read_bytes())["title"] == "Their task"
    (layer,) = json.loads((mine / LAYERS).read_bytes())["layers"]
    assert (layer["name"], layer["version"]) == ("task", "2")
    assert pliant(tmp_path, *upgrade).out.startswith("nothing changes")
    other = pliant(tmp_path, "upgrade", str(shipped), "--application", "other@1")
    assert (other.code, "pliant apply --application" in other.err) == (1, True)
    assert pliant(tmp_path, "apply", str(shipped), "--application", "x").code == 1


def test_a_company_begins_with_a_template(tmp_path: Path) -> None:
    ok(pliant(tmp_path, "company", "create", "Acme", "--template", "crm", "--json"))
    ok(pliant(tmp_path, "export", str(tmp_path / "out"), "--json"))
    found = read_folder(tmp_path / "out")
    assert found.layers.keys() == found.documents.keys()
    assert not any(layer.modified(found.documents[key]) for key, layer in found.layers.items())
    ok(pliant(tmp_path, "company", "create", "Twin", "--documents", str(tmp_path / "out"), "--id", "twin", "--json"))
    ok(pliant(tmp_path, "export", str(tmp_path / "twin"), "--company", "twin", "--json"))
    assert files(tmp_path / "out") == files(tmp_path / "twin")
    assert pliant(tmp_path, "company", "create", "X", "--template", "cms").code == 1
    assert pliant(tmp_path, "company", "create", "X", "--template", "crm", "--documents", str(tmp_path)).code == 2


def typed(tmp_path: Path, text: str, *arguments: str) -> tuple[int, str]:
    """A command with somebody at the terminal who types a text: exit code, and what he has seen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *arguments], env=environment(tmp_path), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, text.encode())
    out = process.communicate(timeout=120)[0].decode()
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return process.returncode, seen.decode() + out


def test_whoever_sits_at_a_terminal_is_asked_before_something_goes(tmp_path: Path, folder: Path) -> None:
    (folder / "entities" / "task.json").unlink()
    write(folder / "entities" / "note.json", {**TASK, "name": "note"})
    apply = ("apply", str(folder), "--prune")
    code, seen = typed(tmp_path, "n\n", *apply)
    assert (code, "- entity/task" in seen, "Publish this?" in seen) == (1, True, True)
    assert len(ok(pliant(tmp_path, "versions", "--json"))) == 1
    code, seen = typed(tmp_path, "y\n", *apply)
    assert (code, "version: 2" in seen) == (0, True)
    code, seen = typed(tmp_path, "", "rollback", "1", "--yes")
    assert (code, "Publish this?" in seen) == (0, False)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.just(1e22), st.just(0.1)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def odd(draw: Any) -> dict[str, Any]:
    """A task written by a program: any order of keys, any text, any number."""
    document = {**TASK, "title": "T" + draw(TEXTS), "description": draw(TEXTS), "examples": [draw(VALUES)]}
    document["x-acme-data"] = draw(VALUES)
    return {key: document[key] for key in draw(st.permutations(list(document)))}


def test_export_apply_export_is_byte_equal_whatever_was_published(tmp_path: Path) -> None:
    """Also for two companies of one process whose documents mean the same and are written differently."""
    publish = "mutation($d: [JSON!]!) { publish(documents: $d) { version userErrors { message } } }"

    @settings(max_examples=examples(25))
    @given(odd(), st.randoms(use_true_random=False))
    def law(document: dict[str, Any], random: Any) -> None:
        keys = list(document)
        random.shuffle(keys)
        run(_round_trip(document, {key: document[key] for key in keys}))

    async def _round_trip(document: dict[str, Any], again: dict[str, Any]) -> None:
        async with opened_house(str(tmp_path / "data")) as house:
            for index, given_document in enumerate((document, again)):
                owner = await found_company(house, ())
                sent = await owner.administer(publish, d=[given_document])
                assert sent["publish"]["userErrors"] == []
                first, second = tmp_path / f"first{index}", tmp_path / f"second{index}"
                await exported(house, owner, first)
                written = json.loads((first / "entities" / "task.json").read_bytes())
                assert dump(written) == dump(given_document), "authored order, every digit and letter"
                found = read_folder(first)
                company = (await owner.actor()).company
                await house.publish(company, list(found.documents.values()))
                await exported(house, owner, second)
                assert files(first) == files(second)

    async def exported(house: House, owner: Client, folder: Path) -> None:
        company = (await owner.actor()).company
        head = await house.head(company)
        write_folder(folder, await house.authored(company, head.version), await house.layers(company))

    law()
