// graphql-js reads our introspection and our SDL, finds both valid, and finds no difference between them.
import assert from "node:assert/strict";
import {
  buildClientSchema,
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  getIntrospectionQuery,
  lexicographicSortSchema,
  printSchema,
  validateSchema,
} from "graphql";
import { ask, base, bearer, check, endpoint, readerToken, token } from "./check.mjs";

const WHOLE = {
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
};

async function introspect(options, url, headers) {
  const { data, errors } = await ask(getIntrospectionQuery(options), {}, { url, headers });
  assert.equal(errors, undefined, JSON.stringify(errors));
  const schema = buildClientSchema(data);
  assert.deepEqual(validateSchema(schema), []);
  return schema;
}

const sorted = (schema) => printSchema(lexicographicSortSchema(schema));

for (const [who, text] of [["owner", token], ["reader", readerToken]]) {
  let schema;
  await check(`introspection of the ${who} is a valid schema`, async () => {
    schema = await introspect(WHOLE, endpoint, bearer(text));
  });
  await check(`/schema.graphql of the ${who} says the same as introspection`, async () => {
    const sdl = await fetch(`${base}/schema.graphql`, { headers: bearer(text) });
    assert.equal(sdl.status, 200);
    const printed = buildSchema(await sdl.text());
    assert.deepEqual(validateSchema(printed), []);
    assert.deepEqual([...findBreakingChanges(schema, printed), ...findDangerousChanges(schema, printed)], []);
    assert.equal(sorted(printed), sorted(schema));
  });
}

await check("introspection with graphql-js's default options is a valid schema", () =>
  introspect({}, endpoint, bearer()));
await check("introspection without descriptions is a valid schema", () =>
  introspect({ descriptions: false }, endpoint, bearer()));
await check("introspection of the administration is a valid schema", () =>
  introspect(WHOLE, `${base}/graphql/admin`, bearer()));

await check("what the reader may not see is not in his schema", async () => {
  const schema = await introspect(WHOLE, endpoint, bearer(readerToken));
  assert.equal(schema.getMutationType()?.getFields().createOffer, undefined);
  assert.equal(schema.getType("Product"), undefined);
  assert.equal(schema.getType("Offer").getFields().amount, undefined);
  assert.equal(schema.getType("OfferFilter").getFields().amount, undefined);
});

await check("inputs of one key are @oneOf", async () => {
  const schema = await introspect(WHOLE, endpoint, bearer());
  for (const name of ["OfferOrderBy", "OfferAccountRelationInput", "PliantPeriod"]) {
    assert.equal(schema.getType(name).isOneOf, true, name);
  }
});

await check("every type and field that a person chooses has a description", async () => {
  const schema = await introspect(WHOLE, endpoint, bearer());
  for (const name of ["Query", "Mutation", "Offer"]) {
    for (const field of Object.values(schema.getType(name).getFields())) {
      assert.ok(field.description, `${name}.${field.name}`);
    }
  }
});
