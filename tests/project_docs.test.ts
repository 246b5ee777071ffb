import assert from "node:assert/strict";
import { ERRORS, type Row } from "../errors.ts";
import { LIMITS } from "../routes/http/limits.ts";
import { createPages } from "../routes/pages/pages.ts";
import { withApp } from "./support/app.ts";
import { withClient } from "./support/mcp.ts";
import { PRODUCT, readSource, sourcesIn } from "./support/sources.ts";

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));
const exists = (path: string) => Deno.stat(new URL(path, root)).then(() => true, () => false);

const contract = await read("docs/api.md");

/** The rows of the tables that stand under a heading, by their cells. */
function rowsUnder(heading: string): string[][] {
  const [, section] = new RegExp(`^## ${heading}\\n(.*?)(?=^## |$(?![\\s\\S]))`, "ms").exec(contract) ?? [];
  assert.ok(section, heading);
  return [...section.matchAll(/^\| (.*) \|$/gm)].map(([, row]) =>
    row!.split(" | ").map((cell) => cell.trim())
  );
}

Deno.test("docs/api.md has every error code with its status, and no other", () => {
  const told = rowsUnder("Errors").flatMap(([status, code]) =>
    /^\d+$/.test(status!) ? [[code!.replaceAll("`", ""), Number(status)]] : []
  );
  const known = Object.entries(ERRORS).map(([code, { status }]) => [code, status]);
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(known));
});

Deno.test("docs/api.md has the members of each error, and marks those that may be absent", () => {
  const told = rowsUnder("Errors").flatMap(([status, code, members]) =>
    /^\d+$/.test(status!) && members
      ? [[code!.replaceAll("`", ""), members.replaceAll("`", "").split(", ").sort()]]
      : []
  );
  const known = Object.entries(ERRORS).flatMap(([code, { members = [] }]: [string, Row]) =>
    members.length === 0 ? [] : [[code, members.toSorted()]]
  );
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(known));
});

Deno.test("docs/api.md has every limit with its number, and no other", () => {
  const told = rowsUnder("Limits").flatMap((row) => {
    const number = /^[\d,]+/.exec(row.find((cell) => /^\d/.test(cell)) ?? "")?.[0];
    return number === undefined
      ? []
      : [[row.at(-1)!.replaceAll("`", ""), Number(number.replaceAll(",", ""))]];
  });
  assert.deepEqual(Object.fromEntries(told), LIMITS);
});

Deno.test("docs/api.md has every path that is served, with its method where the path is the API's", () =>
  withApp(({ app, services }) => {
    const missing = (told: string) => !contract.includes(told);
    const served = ({ routes }: typeof app) =>
      routes.filter(({ method, path }) => method !== "ALL" && path !== "/*");
    const named = (path: string) => path.replaceAll(/:(\w+)/g, "{$1}");
    const operations = served(app).map(({ method, path }) => `\`${method} ${named(path)}`);
    assert.ok(operations.length > 15, `${operations.length} operations`);
    assert.deepEqual(operations.filter(missing), []);
    const pages = served(createPages(services, app)).map(({ path }) => named(path));
    assert.ok(pages.length > 15, `${pages.length} pages`);
    const documents = pages.filter((path) => missing(`\`${path}\``) && missing(`\`GET ${path}\``));
    assert.deepEqual(documents, []);
    return Promise.resolve();
  }));

Deno.test("docs/api.md has every MCP tool, and no other", () =>
  withClient(async (connect) => {
    const { client } = await connect();
    const { tools } = await client.listTools();
    const told = rowsUnder("MCP").flatMap(([tool]) => /^`(\w+)`$/.exec(tool!)?.[1] ?? []);
    assert.deepEqual(told.sort(), tools.map(({ name }) => name).sort());
  }));

/** What a document names as a file or a folder of the project: `db/write/write.ts`, `tests/contract/`. */
function pathsIn(text: string): Set<string> {
  const named = text.matchAll(/`([\w.-]+(?:\/[\w.-]+)*(?:\.(?:tsx?|js|json|md|css)|\/))`/g);
  return new Set([...named].map(([, path]) => path!));
}

/** Documents on the source, each with a number of files that it names at least. */
const ON_THE_SOURCE = { "docs/architecture.md": 100, "CONTRIBUTING.md": 50, "docs/guarantees.md": 50 };

Deno.test("every file that the documents on the source name is there", async () => {
  for (const [document, least] of Object.entries(ON_THE_SOURCE)) {
    const paths = pathsIn(await read(document));
    assert.ok(paths.size >= least, `${document} names ${paths.size}`);
    for (const path of paths) assert.ok(await exists(path), `${document}: ${path}`);
  }
});

Deno.test("what README, CONTRIBUTING and docs/ link to in the project is there, to the heading", async () => {
  const documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) documents.push(`docs/${name}`);
  }
  let links = 0;
  for (const document of documents) {
    for (const [, link] of (await read(document)).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)) {
      const { pathname, hash } = new URL(link!, new URL(document, root));
      const path = decodeURIComponent(pathname.slice(root.pathname.length));
      assert.ok(await exists(path), `${document}: ${link}`);
      if (hash) assert.ok(headingsOf(await read(path)).includes(hash.slice(1)), `${document}: ${link}`);
      links++;
    }
  }
  assert.ok(links > 20, `${links} links`);
});

/** The anchors of a Markdown file's headings, as GitHub makes them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")
  );
}

Deno.test("what comments cite of the documents is there", async () => {
  let cited = 0;
  for (const file of [...PRODUCT, "tests"].flatMap(sourcesIn)) {
    for (
      const [, path] of readSource(file).matchAll(
        /^\s*(?:\/\/|\/?\*).*?(?<![\w/-])((?:[\w-]+\/)*[\w-]+\.md)\b/gm,
      )
    ) {
      const name = path!.split("/").at(-1)!;
      if (/^(README|SKILL|guide)\.md$/.test(name)) continue; // of the folder, or what is served
      assert.ok(await exists(path!), `${file} cites ${path}`);
      cited++;
    }
  }
  assert.ok(cited >= 5, `${cited} citations`);
});
