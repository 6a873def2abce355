// What a Relay application writes: a paged connection, a fragment that is fetched again by node(id), a mutation.
import { graphql } from "relay-runtime";

export const offersQuery = graphql`
  query operationsOffersQuery($filter: OfferFilter) {
    ...operationsOffers @arguments(filter: $filter)
  }
`;

export const offersFragment = graphql`
  fragment operationsOffers on Query
  @refetchable(queryName: "operationsOffersPaginationQuery")
  @argumentDefinitions(
    filter: { type: "OfferFilter" }
    count: { type: "Int", defaultValue: 4 }
    cursor: { type: "String" }
  ) {
    offers(filter: $filter, orderBy: [{ name: ASC }], first: $count, after: $cursor)
      @connection(key: "operationsOffers__offers") {
      totalCount
      edges { node { id name ...operationsOffer } }
    }
  }
`;

export const offerFragment = graphql`
  fragment operationsOffer on Offer @refetchable(queryName: "operationsOfferRefetchQuery") {
    name
    stage
    amount
    account { name }
    lines(first: 2) { edges { node { title product { name } } } }
  }
`;

export const backwardFragment = graphql`
  fragment operationsBackward on Account @refetchable(queryName: "operationsBackwardQuery")
  @argumentDefinitions(last: { type: "Int", defaultValue: 2 }, before: { type: "String" }) {
    offers(last: $last, before: $before) @connection(key: "operationsBackward__offers") {
      edges { node { id name } }
    }
  }
`;

export const updateMutation = graphql`
  mutation operationsUpdateMutation($id: ID!, $input: OfferUpdateInput!) @raw_response_type {
    updateOffer(id: $id, input: $input) {
      offer { ...operationsOffer }
      userErrors { path code message }
    }
  }
`;

export const deleteMutation = graphql`
  mutation operationsDeleteMutation($id: ID!, $connections: [ID!]!) {
    deleteOffer(id: $id) {
      offer { id @deleteEdge(connections: $connections) }
      userErrors { code }
    }
  }
`;

export const typesQuery = graphql`
  query operationsNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Offer { name meetAt custom externalKey views }
      ... on Account { name }
    }
    viewer { can(entity: "offer") { read update } }
  }
`;
