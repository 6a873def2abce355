// @urql/core as an application uses it: normal cache, variables, fragments, mutations, errors. urql 6 sends queries by
// GET unless told otherwise, so `preferGetMethod: false` is the one setting that Pliant asks for (docs/clients.md).
import assert from "node:assert/strict";
import { cacheExchange, Client, fetchExchange, gql } from "@urql/core";
import { bearer, check, endpoint } from "./check.mjs";

const client = (headers) =>
  new Client({ url: endpoint, preferGetMethod: false, exchanges: [cacheExchange, fetchExchange], fetchOptions: { headers } });
const urql = client(bearer());

const OFFER = gql`
  fragment OfferParts on Offer { id name stage amount closeOn account { id name } }
`;
const OFFERS = gql`
  query Offers($filter: OfferFilter, $first: Int, $after: String) {
    offers(filter: $filter, orderBy: [{ name: ASC }], first: $first, after: $after) {
      totalCount
      nodes { ...OfferParts }
      pageInfo { hasNextPage endCursor }
    }
  }
  ${OFFER}
`;
const CREATE = gql`
  mutation Create($input: OfferCreateInput!) {
    createOffer(input: $input) { offer { ...OfferParts } userErrors { path code message } }
  }
  ${OFFER}
`;

const answered = (result) => {
  assert.equal(result.error, undefined, result.error?.message);
  return result.data;
};

await check("urql: pages with variables and fragments", async () => {
  const filter = { stage: { in: ["OPEN", "WON"] }, account: { sector: { eq: "RETAIL" } } };
  const names = [];
  let after = null;
  do {
    const { offers } = answered(await urql.query(OFFERS, { filter, first: 7, after }).toPromise());
    names.push(...offers.nodes.map((offer) => offer.name));
    after = offers.pageInfo.hasNextPage ? offers.pageInfo.endCursor : null;
    if (after === null) assert.equal(names.length, offers.totalCount);
  } while (after !== null);
  assert.ok(names.length > 7);
  assert.deepEqual(names, [...new Set(names)].sort());
});

await check("urql: a mutation answers the record and refreshes the queries that show its type", async () => {
  const variables = { filter: { name: { in: ["Offer 001", "urql one"] } }, first: 10 };
  const before = answered(await urql.query(OFFERS, variables).toPromise()).offers.totalCount;
  const created = answered(await urql.mutation(CREATE, { input: { name: "urql one", amount: "12.5" } }).toPromise());
  assert.deepEqual(created.createOffer.userErrors, []);
  assert.equal(created.createOffer.offer.amount, "12.50");
  assert.equal(answered(await urql.query(OFFERS, variables).toPromise()).offers.totalCount, before + 1);
});

await check("urql: what a person can mend comes back as userErrors", async () => {
  const { createOffer } = answered(await urql.mutation(CREATE, { input: { name: "", contactEmail: "nobody" } }).toPromise());
  assert.equal(createOffer.offer, null);
  assert.deepEqual(createOffer.userErrors.map((fault) => fault.path.join(".")).sort(), ["contactEmail", "name"]);
});

await check("urql: a broken rule of the document names its field", async () => {
  const { createOffer } = answered(await urql.mutation(CREATE, { input: { name: "x", stage: "WON" } }).toPromise());
  assert.deepEqual(createOffer.userErrors, [
    { __typename: "PliantUserError", path: ["amount"], code: "RULE", message: "A won offer needs its amount" },
  ]);
});

await check("urql: an error of the document is a GraphQL error with a code", async () => {
  const { error } = await urql.query(gql`{ offers { nodes { nothing } } }`, {}).toPromise();
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, "BAD_USER_INPUT");
});

await check("urql: a request without a token is told UNAUTHENTICATED", async () => {
  const { error } = await client({}).query(gql`{ meta { position } }`, {}).toPromise();
  assert.equal(error.response.status, 401);
  assert.equal(error.graphQLErrors[0]?.extensions.code, "UNAUTHENTICATED");
});

await check("urql: its default, queries by GET, is refused as HTTP says", async () => {
  const byGet = new Client({ url: endpoint, exchanges: [fetchExchange], fetchOptions: { headers: bearer() } });
  const { error } = await byGet.query(gql`{ meta { position } }`, {}).toPromise();
  assert.equal(error.response.status, 405);
  assert.equal(error.response.headers.get("allow"), "POST");
});
