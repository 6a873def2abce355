// The audits of graphql-http at both doors. Pliant takes GET for persisted documents only (docs/http.md), which the
// specification leaves to the server: the three audits that a server MAY pass by answering GET queries count as held
// when the refusal is the one HTTP asks for, 405 with Allow. Every other audit must be ok, notices included.
import assert from "node:assert/strict";
import { serverAudits } from "graphql-http";
import { base, bearer, check } from "./check.mjs";

const GET_AUDITS = new Set(["5A70", "D6D5", "6A70"]);
const AUDITS = 61;

for (const path of ["/graphql", "/graphql/admin"]) {
  const audits = serverAudits({
    url: base + path,
    fetchFn: (url, options = {}) => fetch(url, { ...options, headers: { ...options.headers, ...bearer() } }),
  });
  await check(`${path}: there are ${AUDITS} audits`, async () => assert.equal(audits.length, AUDITS));
  for (const audit of audits) {
    await check(`${path} ${audit.id}: ${audit.name}`, async () => {
      const result = await audit.fn();
      if (GET_AUDITS.has(audit.id)) {
        assert.equal(result.status, "notice");
        assert.equal(result.response.status, 405);
        assert.equal(result.response.headers.get("allow"), "POST");
      } else {
        assert.equal(result.status, "ok", result.reason);
      }
    });
  }
}
