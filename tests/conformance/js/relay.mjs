// relay-compiler on our SDL (it demands Node, node(id) and the Connection specification), then its artifacts in
// relay-runtime against the server: paging, refetching by node(id), a mutation that updates the store.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import relay from "relay-runtime";
import { base, bearer, check, endpoint, scratch } from "./check.mjs";

const { Environment, fetchQuery, getSelector, Network, RecordSource, Store } = relay;
const require = createRequire(import.meta.url);
const project = join(scratch, "relay");
const made = join(project, "made");

const artifact = (name) => require(join(made, `${name}.graphql.js`));

await check("Relay: the compiler takes schema, fragments, connections and mutations", async () => {
  mkdirSync(made, { recursive: true });
  cpSync(new URL("relay/operations.js", import.meta.url).pathname, join(project, "src", "operations.js"));
  const sdl = await fetch(`${base}/schema.graphql`, { headers: bearer() });
  writeFileSync(join(project, "schema.graphql"), await sdl.text());
  const scalars = ["Date", "DateTime", "Decimal", "Time", "UUID", "Cursor"].map((name) => [name, "string"]);
  const config = {
    src: "src",
    schema: "schema.graphql",
    artifactDirectory: "made",
    language: "javascript",
    eagerEsModules: false,
    customScalarTypes: { ...Object.fromEntries(scalars), Long: "number", JSON: "mixed" },
  };
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "relay-project", type: "commonjs" }));
  writeFileSync(join(project, "relay.config.json"), JSON.stringify(config));
  const told = execFileSync(process.execPath, [require.resolve("relay-compiler/cli.js")], {
    cwd: project,
    encoding: "utf8",
  });
  assert.match(told, /compiled documents/i, told);
});

const network = Network.create(async ({ text }, variables) => {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { ...bearer(), "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: text, variables }),
  });
  return response.json();
});
const environment = new Environment({ network, store: new Store(new RecordSource()) });
const ask = (request, variables) => fetchQuery(environment, request, variables).toPromise();

/** What a component's fragment shows of the record behind a fragment reference. */
const shown = (fragment, reference) => environment.lookup(getSelector(fragment, reference)).data;

let page;

await check("Relay: a connection is read page by page into one list", async () => {
  const variables = { filter: { stage: { eq: "OPEN" } } };
  const root = await ask(artifact("operationsOffersQuery"), variables);
  const fragment = artifact("operationsOffers");
  page = shown(fragment, root);
  while (page.offers.pageInfo.hasNextPage) {
    const known = page.offers.edges.length;
    const more = { ...variables, count: 9, cursor: page.offers.pageInfo.endCursor };
    await ask(artifact("operationsOffersPaginationQuery"), more);
    page = shown(fragment, root);
    assert.ok(page.offers.edges.length > known);
  }
  assert.equal(page.offers.edges.length, page.offers.totalCount);
});

await check("Relay: a fragment is fetched again by node(id), a mutation changes the store", async () => {
  const { node } = page.offers.edges[0];
  const fragment = artifact("operationsOffer");
  const before = shown(fragment, node);
  await ask(artifact("operationsOfferRefetchQuery"), { id: node.id });
  assert.deepEqual(shown(fragment, node), before);
  const changed = await new Promise((resolve, reject) =>
    relay.commitMutation(environment, {
      mutation: artifact("operationsUpdateMutation"),
      variables: { id: node.id, input: { amount: "1234.5" } },
      onCompleted: resolve,
      onError: reject,
    }),
  );
  assert.deepEqual(changed.updateOffer.userErrors, []);
  assert.equal(shown(fragment, node).amount, "1234.50");
});

await check("Relay: node(id) answers interfaces with their own fields", async () => {
  const { node } = page.offers.edges[0];
  const { node: found, viewer } = await ask(artifact("operationsNodeQuery"), { id: node.id });
  assert.equal(found.__typename, "Offer");
  assert.equal(found.id, node.id);
  assert.equal(viewer.can[0].update, true);
});
