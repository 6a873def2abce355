// /explore in a real browser: GraphiQL under its strict policy, without a console error and without any other site;
// a pasted token runs a query, and completion knows the company's own fields.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { base, check, scratch, token } from "./check.mjs";

const executablePath = process.env.PLIANT_BROWSER;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1400, height: 850 } });
const complaints = [];
const foreign = [];
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
});
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("request", (request) => {
  if (!request.url().startsWith(base) && !request.url().startsWith("data:")) foreign.push(request.url());
});

const editor = page.locator(".graphiql-query-editor .CodeMirror");
const result = page.locator(".graphiql-response");

async function write(query) {
  await editor.evaluate((node, text) => node.CodeMirror.setValue(text), query);
}

await check("/explore: the page has a strict policy and nothing inline", async () => {
  const answer = await page.goto(`${base}/explore`);
  assert.equal(answer.status(), 200);
  const policy = answer.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self';/);
  assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
  await editor.waitFor({ timeout: 20_000 });
});

await check("/explore: without a token nothing is asked that the server would refuse", async () => {
  await page.waitForTimeout(500);
  assert.deepEqual(complaints, []);
});

await check("/explore: a pasted token runs a query", async () => {
  await page.locator('input[type="password"]').fill(token);
  await page.locator('input[type="password"]').press("Enter");
  await page.waitForTimeout(800);
  await write("{ offers(first: 3, orderBy: [{name: ASC}]) { totalCount nodes { name stage account { name } } } }");
  await page.locator(".graphiql-execute-button").click();
  await result.getByText('"Offer 000"').waitFor({ timeout: 10_000 });
});

await check("/explore: completion knows the company's fields", async () => {
  await write("{ off }");
  await editor.evaluate((node) => {
    node.CodeMirror.focus();
    node.CodeMirror.setCursor({ line: 0, ch: 5 });
  });
  await page.keyboard.press("Control+Space");
  await page.locator(".CodeMirror-hints li", { hasText: "offers" }).first().waitFor({ timeout: 10_000 });
});

mkdirSync(scratch, { recursive: true });
await page.screenshot({ path: join(scratch, "explore.png") });

await check("/explore: the documentation of the schema opens", async () => {
  await page.keyboard.press("Escape");
  await page.getByLabel("Show Documentation Explorer").click();
  await page.locator(".graphiql-doc-explorer").getByText("Query", { exact: true }).first().click();
  await page.locator(".graphiql-doc-explorer").getByText("offers", { exact: true }).first().waitFor();
});

await page.screenshot({ path: join(scratch, "explore-docs.png") });

await check("/explore: the console is silent and no other site was asked", async () => {
  assert.deepEqual(complaints, []);
  assert.deepEqual(foreign, []);
});

await browser.close();
