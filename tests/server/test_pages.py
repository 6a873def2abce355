"""Everything beside GraphQL: health, numbers, published descriptions, the explorer."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from metadata.kinds import KINDS
from server import explore
from server.metrics import Gauge, Metrics
from tests.server.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_health_and_readiness(site: Site) -> None:
    assert (await site.client.get("/healthz")).json() == {"status": "ok"}
    assert (await site.client.get("/readyz")).json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/nowhere", "/graphql/", "/graphql/x", "/schemas/nothing.json", "/explore/../app.py"])
async def test_unknown_paths_are_problem_documents(site: Site, path: str) -> None:
    response = await site.client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 404


async def test_a_wrong_method_is_a_problem_document(site: Site) -> None:
    response = await site.client.post("/healthz")
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("kind", [*KINDS.names, "import"])
async def test_metaschemas_are_served_to_everybody(site: Site, kind: str) -> None:
    response = await site.client.get(f"/schemas/{kind}.json")
    assert response.headers["content-type"] == "application/schema+json"
    assert response.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    again = await site.client.get(f"/schemas/{kind}.json", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def reader(site: Site) -> dict[str, str]:
    member = await site.house.add_member(site.company, {"name": "Reader", "roles": ["reader"]})
    return {"Authorization": f"Bearer {await site.house.create_token(site.company, member, 'test', ['reader'])}"}


async def test_the_schema_is_the_callers_own(site: Site) -> None:
    assert (await site.client.get("/schema.graphql")).status_code == 401
    owners = await site.client.get("/schema.graphql", headers=site.bearer)
    assert "secretNote" in owners.text
    hidden = await site.client.get("/schema.graphql", headers=await reader(site))
    assert "type Task " in hidden.text
    assert "secretNote" not in hidden.text
    etag = owners.headers["etag"]
    same = await site.client.get("/schema.graphql", headers={**site.bearer, "If-None-Match": f'"x", W/{etag}'})
    assert (same.status_code, same.headers["etag"]) == (304, etag)


async def test_entity_schemas_are_cut_and_unknown_ones_look_like_hidden_ones(site: Site) -> None:
    path = "/schemas/entities/task.json"
    assert (await site.client.get(path)).status_code == 401
    assert "secretNote" in (await site.client.get(path, headers=site.bearer)).json()["properties"]
    theirs = await reader(site)
    assert "secretNote" not in (await site.client.get(path, headers=theirs)).json()["properties"]
    answers = []
    for name in ("team", "nothing"):
        answer = (await site.client.get(f"/schemas/entities/{name}.json", headers=theirs)).json()
        answer.pop("requestId")
        answers.append(answer)
    assert answers[0] == answers[1]
    assert answers[0]["status"] == 404


async def test_metrics_count_requests(site: Site) -> None:
    await site.ask("{ __typename }")
    await site.ask("{ nothing }")
    text = (await site.client.get("/metrics")).text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [0-9.e+-]+", line), line
    assert 'pliant_requests_total{door="graphql",outcome="OK"}' in text
    assert 'pliant_requests_total{door="graphql",outcome="BAD_USER_INPUT"}' in text
    assert 'pliant_request_seconds_bucket{door="graphql",le="+Inf"}' in text
    assert "pliant_requests_in_flight 0" in text


async def test_metrics_escape_labels() -> None:
    text = Metrics(lambda: [Gauge("x", "X.", 1, {"a": 'b"\\\n'})]).text()
    assert 'x{a="b\\"\\\\\\n"} 1' in text


async def test_the_explorer_page_runs_nothing_inline(site: Site) -> None:
    response = await site.client.get("/explore")
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in response.text
    assert "http" not in re.sub(r"</?html|https?-equiv", "", response.text)


async def test_the_explorer_says_when_it_is_not_built(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, "BUILT", tmp_path)
    assert "make assets" in (await site.client.get("/explore")).text
    assert (await site.client.get("/explore/explore.js")).status_code == 404
    (tmp_path / "explore.js").write_text("1", encoding="utf-8")
    page = await site.client.get("/explore")
    assert '<script src="/explore/explore.js">' in page.text
    file = await site.client.get("/explore/explore.js")
    assert (file.text, file.headers["content-type"]) == ("1", "text/javascript; charset=utf-8")
    same = await site.client.get("/explore/explore.js", headers={"If-None-Match": file.headers["etag"]})
    assert same.status_code == 304
    assert (await site.client.get("/explore/package.json")).status_code == 404
    shutil.rmtree(tmp_path)


async def test_the_root_leads_to_the_explorer(site: Site) -> None:
    response = await site.client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/explore")
