// The page of /explore: GraphiQL against this server's own endpoints, with a token that stays in this tab.
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/graphiql.css";
import "./page.css";
import { useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

const KEY = "pliant.token";
const WHOLE_TOKEN = /^plt_[0-9a-z]+_[0-9A-Za-z_-]{43}$/;
const QUERY = `# Give your token above, then run this.
{
  viewer { member { name email } company { id title } roles can { entity read create update delete } }
  meta { position catalogVersion }
}
`;

function Page() {
  const [token, setToken] = useState(sessionStorage.getItem(KEY) ?? "");
  const [path, setPath] = useState("/graphql");
  const fetcher = useMemo(
    () => createGraphiQLFetcher({ url: path, headers: token ? { Authorization: `Bearer ${token}` } : {} }),
    [token, path],
  );
  const keep = (text) => {
    sessionStorage.setItem(KEY, text);
    setToken(text);
  };
  // a pasted token counts at once; what is typed counts when the field is left, not with every letter
  const typed = (event) => {
    const text = event.target.value.trim();
    if (text === "" || WHOLE_TOKEN.test(text)) keep(text);
  };
  return (
    <>
      <form className="pliant-bar" onSubmit={(event) => event.preventDefault()}>
        <strong>Pliant</strong>
        <label>
          Token 令牌
          <input type="password" autoComplete="off" spellCheck={false} defaultValue={token} onChange={typed}
            onBlur={(event) => keep(event.target.value.trim())} />
        </label>
        <label>
          API
          <select value={path} onChange={(event) => setPath(event.target.value)}>
            <option>/graphql</option>
            <option>/graphql/admin</option>
          </select>
        </label>
      </form>
      <GraphiQL fetcher={fetcher} schema={token ? undefined : null} defaultQuery={QUERY} />
    </>
  );
}

createRoot(document.getElementById("explore")).render(<Page />);
