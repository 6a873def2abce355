"""`pliant import` as scripts and people use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.programs import ROOT, pliant

FILE = "name,sector,employees\nAcme,RETAIL,5\n上海云帆,RETIAL,6\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a company that has the CRM template, and a file beside it."""
    made = pliant(tmp_path, "company", "create", "Acme", "--documents", str(ROOT / "templates" / "crm"), "--json")
    assert made.code == 0, made.err
    (tmp_path / "accounts.csv").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_rows_land_and_refused_ones_are_told_of(folder: Path) -> None:
    faults = folder / "faults.csv"
    ran = pliant(folder, "import", "account", str(folder / "accounts.csv"), "--faults", str(faults))
    assert ran.code == 1
    assert "rows: 2  created: 1" in ran.out
    assert "row 3: VALIDATION: sector: 'RETIAL' is none of " in ran.out
    assert "; did you mean 'RETAIL'?" in ran.out
    assert str(faults) in ran.out
    faults.write_text(faults.read_text(encoding="utf-8-sig").replace("RETIAL,6", "RETAIL,6"), encoding="utf-8")
    again = pliant(folder, "import", "account", str(faults), "--by", "name", "--json")
    assert again.code == 0
    assert {key: again.json[key] for key in ("rows", "created", "failed", "dryRun")} == {
        "rows": 1, "created": 1, "failed": 0, "dryRun": False,
    }  # fmt: skip


def test_a_dry_run_speaks_chinese(folder: Path) -> None:
    ran = pliant(folder, "import", "account", str(folder / "accounts.csv"), "--dry-run", LANG="zh_CN.UTF-8")
    assert "第 3 行" in ran.out
    assert "试运行" in ran.out
    assert pliant(folder, "import", "account", str(folder / "accounts.csv"), "--json").json["created"] == 1


def test_mappings_of_the_template_and_of_a_file(folder: Path) -> None:
    products = folder / "products.csv"
    products.write_text("product,series,sales_price\nGTX Pro,GTX,4821\n")
    assert pliant(folder, "import", "product", str(products), "--mapping", "crm:products").code == 0
    mapping = folder / "mapping.json"
    mapping.write_text(
        json.dumps({"by": ["name"], "columns": {"product": "name", "series": None, "sales_price": None}})
    )
    ran = pliant(folder, "import", "product", str(products), "--mapping", str(mapping), "--json")
    assert ran.json["unchanged"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("acount", "accounts.csv"), "did you mean 'account'"),
        (("account", "accounts.csv", "--mapping", "crm:acounts"), "has no mapping"),
        (("account", "accounts.csv", "--mapping", "none.json"), "cannot be read"),
        (("account", "accounts.csv", "--by", "nmae"), "did you mean 'name'"),
        (("account", "accounts.csv", "--encoding", "utf-9"), "Unknown encoding"),
        (("account", "accounts.csv", "--resume"), "no unfinished import"),
        (("account", "accounts.csv", "--as", "nobody@x.example"), "No member has the address"),
        (("account", "accounts.csv", "--batch", "5000"), "a batch has 1 to"),
        (("account", "accounts.csv", "--delimiter", "::"), "one character"),
        (("account", "bytes.csv"), "not utf-8"),
        (("account", "empty.csv"), "is empty"),
    ],
)
def test_what_cannot_be_is_told(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    (folder / "bytes.csv").write_bytes(b"name\n\xff\n")
    (folder / "empty.csv").write_bytes(b"")
    entity, file, *rest = arguments
    ran = pliant(folder, "import", entity, str(folder / file), *rest)
    assert ran.code == 1
    assert words in ran.err
    assert "Traceback" not in ran.err
    told = pliant(folder, "import", entity, str(folder / file), *rest, "--json")
    assert told.json["error"]["code"]
