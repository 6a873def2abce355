// graphql-codegen reads the schema from the running server, writes types, and TypeScript in strict mode takes them.
// `oneOf: true` lets its loader ask which inputs take exactly one key.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "@graphql-codegen/cli";
import ts from "typescript";
import { bearer, check, endpoint, scratch } from "./check.mjs";

const folder = join(scratch, "codegen");
const types = join(folder, "types.ts");

const DOCUMENT = `
  fragment OfferParts on Offer {
    id version name stage channels labels amount seats views score urgent closeOn meetAt callAt externalKey custom
    account { name sector }
    lines { nodes { title quantity } totalCount }
  }
  query Offers($filter: OfferFilter, $orderBy: [OfferOrderBy!], $first: Int, $after: String) {
    offers(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      nodes { ...OfferParts }
      pageInfo { hasNextPage endCursor }
      aggregate { count sum { amount } }
    }
  }
  mutation Create($input: OfferCreateInput!) {
    createOffer(input: $input) { offer { ...OfferParts } userErrors { path code } }
  }
`;
const USE = `
  import type { CreateMutationVariables, OffersQuery, OffersQueryVariables, OfferStage } from "./types";
  export const variables: OffersQueryVariables = {
    filter: { and: [{ stage: { in: ["OPEN"] } }, { account: { sector: { eq: "RETAIL" } } }], lines: { some: { quantity: { gt: 1 } } } },
    orderBy: [{ amount: "DESC" }, { account: { name: "ASC" } }],
    first: 10,
  };
  export const created: CreateMutationVariables = {
    input: { name: "typed", amount: "1.5", account: { connect: "x" }, lines: { create: [{ title: "one" }] } },
  };
  export const stage = (query: OffersQuery): OfferStage | null | undefined => query.offers.nodes[0]?.stage;
  export const total = (query: OffersQuery): number => query.offers.aggregate.count;
  // @ts-expect-error: exactly one key
  export const two: OffersQueryVariables = { orderBy: [{ amount: "DESC", name: "ASC" }] };
`;

await check("graphql-codegen: typescript and typescript-operations", async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "operations.graphql"), DOCUMENT);
  const config = {
    schema: [{ [endpoint]: { headers: bearer(), oneOf: true } }],
    documents: [join(folder, "operations.graphql")],
    generates: {
      [types]: {
        plugins: ["typescript", "typescript-operations"],
        config: {
          strictScalars: true,
          enumsAsTypes: true,
          scalars: {
            Cursor: "string", Date: "string", DateTime: "string", Decimal: "string", JSON: "unknown", Long: "number",
            Time: "string", UUID: "string",
          },
        },
      },
    },
    silent: true,
    errorsOnly: true,
  };
  await generate(config, true);
  assert.match(readFileSync(types, "utf8"), /export type OffersQuery /);
});

await check("graphql-codegen: strict TypeScript takes the types, and refuses two keys in a @oneOf input", async () => {
  const use = join(folder, "use.ts");
  writeFileSync(use, USE);
  const program = ts.createProgram([types, use], { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: [] });
  const told = ts.getPreEmitDiagnostics(program).map((found) => ts.flattenDiagnosticMessageText(found.messageText, "\n"));
  assert.deepEqual(told, []);
});
