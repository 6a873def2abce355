// @apollo/client as an application uses it: normalised cache, Relay-style paging, persisted query link, errors.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { filter, firstValueFrom } from "rxjs";
import { bearer, check, endpoint } from "./check.mjs";

const http = (headers) => new HttpLink({ uri: endpoint, headers });
const client = (link = http(bearer())) =>
  new ApolloClient({
    link,
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { offers: relayStylePagination(["filter", "orderBy"]) } } },
    }),
  });
const apollo = client();

const OFFERS = gql`
  query Offers($filter: OfferFilter, $first: Int!, $after: String) {
    offers(filter: $filter, orderBy: [{ name: ASC }], first: $first, after: $after) {
      edges { cursor node { id name seats account { id name } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      totalCount
    }
  }
`;
const UPDATE = gql`
  mutation Update($id: ID!, $input: OfferUpdateInput!, $version: Int) {
    updateOffer(id: $id, input: $input, expectedVersion: $version) {
      offer { id version seats }
      userErrors { path code message details }
    }
  }
`;
const OFFER = gql`query Offer($id: ID!) { offer(id: $id) { id version seats } }`;

await check("Apollo: fetchMore appends pages with relayStylePagination", async () => {
  const variables = { filter: { stage: { eq: "OPEN" } }, first: 5 };
  const watched = apollo.watchQuery({ query: OFFERS, variables });
  const showing = (edges) =>
    firstValueFrom(watched.pipe(filter(({ data }) => (data?.offers.edges.length ?? 0) >= edges)));
  let { data } = await showing(5);
  while (data.offers.pageInfo.hasNextPage) {
    const { edges, pageInfo } = data.offers;
    await watched.fetchMore({ variables: { after: pageInfo.endCursor } });
    ({ data } = await showing(edges.length + 1));
  }
  const ids = data.offers.edges.map((edge) => edge.node.id);
  assert.equal(ids.length, data.offers.totalCount);
  assert.equal(new Set(ids).size, ids.length);
});

await check("Apollo: a mutation's answer updates the cached record", async () => {
  const { data } = await apollo.query({ query: OFFERS, variables: { first: 1 } });
  const { id } = data.offers.edges[0].node;
  await apollo.query({ query: OFFER, variables: { id } });
  const changed = await apollo.mutate({ mutation: UPDATE, variables: { id, input: { seats: 77 } } });
  assert.deepEqual(changed.data.updateOffer.userErrors, []);
  assert.equal(apollo.readQuery({ query: OFFER, variables: { id } }).offer.seats, 77);
});

await check("Apollo: a stale version is a CONFLICT among the userErrors", async () => {
  const { data } = await apollo.query({ query: OFFERS, variables: { first: 1 } });
  const { id } = data.offers.edges[0].node;
  const stale = await apollo.mutate({ mutation: UPDATE, variables: { id, input: { seats: 1 }, version: 1000 } });
  assert.equal(stale.data.updateOffer.offer, null);
  assert.equal(stale.data.updateOffer.userErrors[0].code, "CONFLICT");
});

await check("Apollo: wrong variables are a GraphQL error with a code", async () => {
  const asked = apollo.query({ query: OFFERS, variables: { first: -1 }, fetchPolicy: "network-only" });
  const error = await asked.then(() => assert.fail("answered"), (caught) => caught);
  assert.ok(CombinedGraphQLErrors.is(error), String(error));
  assert.equal(error.errors[0].extensions.code, "BAD_USER_INPUT");
});

await check("Apollo: automatic persisted queries fall back to whole documents", async () => {
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const persisted = client(new PersistedQueryLink({ sha256 }).concat(http(bearer())));
  const { data } = await persisted.query({ query: OFFERS, variables: { first: 1 } });
  assert.equal(data.offers.edges.length, 1);
});
