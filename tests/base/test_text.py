"""The fold: idempotent, and the same in Python and in PostgreSQL for every assigned code point."""

from __future__ import annotations

import os
import random
import unicodedata
import uuid

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.text import FOLD_FUNCTION, SQLITE_FUNCTIONS, fold, fold_or_null, postgres_fold_statements

URL = os.environ.get("PLIANT_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")
CHARS = [chr(code) for code in (*range(1, 0xD800), *range(0xE000, 0x110000))]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ＡＢＣ", "abc"), ("ﬁn", "FIN"), ("İ", "i̇"), ("赢单", "赢单")],
)
def test_texts_that_differ_in_case_only_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_folding_every_code_point_twice_changes_nothing() -> None:
    assert [hex(ord(char)) for char in CHARS if fold(fold(char)) != fold(char)] == []


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_null_stays_null() -> None:
    assert fold_or_null(None) is None
    assert (FOLD_FUNCTION, 1, fold_or_null) in SQLITE_FUNCTIONS


async def test_postgres_folds_as_python_does() -> None:
    try:
        connection = await asyncpg.connect(URL, timeout=5)
    except (OSError, TimeoutError):
        pytest.skip("no PostgreSQL")
    schema = f'"Fold {uuid.uuid4().hex[:12]}"'
    await connection.execute(f"CREATE SCHEMA {schema}")
    try:
        for statement in postgres_fold_statements(schema):
            await connection.execute(statement)
        rng = random.Random(7)
        # Letters younger than the server's Unicode stay as they are there; with the same Unicode there are none.
        query = f"SELECT {schema}.{FOLD_FUNCTION}(x) AS y FROM unnest($1::text[]) WITH ORDINALITY AS t(x, n) ORDER BY n"
        folded = [char for char in CHARS if fold(char) != char]
        answers = [row["y"] for row in await connection.fetch(query, folded)]
        young = {char for char, answer in zip(folded, answers, strict=True) if char == answer}
        assert unicodedata.unidata_version != "14.0.0" or not young
        awkward = [char for char in folded if char not in young] + ["Σ", "ς", "İ", "a", "\u0301", "\u0345"] * 100
        texts = [char for char in CHARS if unicodedata.category(char) != "Cn" and char not in young]
        texts += ["".join(rng.choices(awkward, k=rng.randrange(2, 6))) for _ in range(20_000)]
        answers = [row["y"] for row in await connection.fetch(query, texts)]
        different = [ascii(text) for text, answer in zip(texts, answers, strict=True) if fold(text) != answer]
        assert different == []
        assert await connection.fetchval(f"SELECT {schema}.{FOLD_FUNCTION}(NULL)") is None
    finally:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
        await connection.close()
