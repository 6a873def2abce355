// What every script of this folder shares: where the server is, and how one check is told to run.py (a line of JSON).
export const base = process.env.PLIANT_URL;
export const endpoint = `${base}/graphql`;
export const token = process.env.PLIANT_TOKEN;
export const readerToken = process.env.PLIANT_READER_TOKEN;
export const scratch = process.env.PLIANT_SCRATCH;

export const bearer = (text = token) => ({ Authorization: `Bearer ${text}` });

export async function check(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name, passed: true }));
  } catch (error) {
    console.log(JSON.stringify({ name, passed: false, detail: String(error?.stack ?? error) }));
  }
}

/** POST one GraphQL request without any client. */
export async function ask(query, variables = {}, { url = endpoint, headers = bearer() } = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}
