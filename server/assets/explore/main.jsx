// The page of /explore: GraphiQL against this server's own endpoints, with a token that stays in this tab.
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/graphiql.css";
import "./page.css";
import { useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

const KEY = "pliant.token";
const QUERY = `# Give your token above, then run this.
{
  viewer { member { name email } company roles can { entity read create update delete } }
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
  const keep = (event) => {
    const text = event.target.value.trim();
    sessionStorage.setItem(KEY, text);
    setToken(text);
  };
  return (
    <>
      <form className="pliant-bar" onSubmit={(event) => event.preventDefault()}>
        <strong>Pliant</strong>
        <label>
          Token 令牌
          <input type="password" autoComplete="off" spellCheck={false} defaultValue={token} onBlur={keep} />
        </label>
        <label>
          API
          <select value={path} onChange={(event) => setPath(event.target.value)}>
            <option>/graphql</option>
            <option>/graphql/admin</option>
          </select>
        </label>
      </form>
      <GraphiQL key={`${path} ${token}`} fetcher={fetcher} defaultQuery={QUERY} />
    </>
  );
}

createRoot(document.getElementById("explore")).render(<Page />);
