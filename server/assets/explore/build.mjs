// Bundles GraphiQL into two files beside the server: no CDN, nothing inline, so a strict content security policy holds.
import { rename, mkdir, rm } from "node:fs/promises";
import { build } from "esbuild";

const target = new URL("../built/", import.meta.url).pathname;
const part = `${target}.part-${process.pid}`;

await rm(part, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await build({
  entryPoints: { explore: "main.jsx" },
  outdir: part,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".woff": "file", ".woff2": "file", ".ttf": "file" },
  legalComments: "linked",
});
for (const name of ["explore.js", "explore.css", "explore.js.LEGAL.txt"]) {
  await rename(`${part}/${name}`, `${target}${name}`);
}
await rm(part, { recursive: true, force: true });
