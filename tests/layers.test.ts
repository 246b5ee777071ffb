import assert from "node:assert/strict";

/** What each layer may import of the project. */
const ALLOWED: Record<string, string[]> = {
  db: ["db"],
  cel: ["cel", "db"],
  views: ["views"],
  routes: ["routes", "cel", "db", "views", "version.ts"],
  client: ["client", "version.ts"],
  cli: ["cli", "client"],
};

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(name)) yield path;
  }
}

/** The top-level folder that an import of a file leads to; undefined for packages. */
function layerOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const root = new URL("../", import.meta.url);
  return new URL(specifier, new URL(file, root)).href.slice(root.href.length).split("/")[0];
}

Deno.test("imports go down only: routes -> cel -> db, and routes -> views; cli -> client", async () => {
  const wrong: string[] = [];
  let files = 0;
  for (const [layer, allowed] of Object.entries(ALLOWED)) {
    for await (const file of sources(layer)) {
      files++;
      const text = await Deno.readTextFile(file);
      for (const [, specifier] of text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
        const target = layerOf(file, specifier!);
        if (target !== undefined && !allowed.includes(target)) wrong.push(`${file} imports ${specifier}`);
      }
    }
  }
  assert.ok(files > 30, `${files} files were looked at`);
  assert.deepEqual(wrong, []);
});

Deno.test("only routes/http/errors.ts knows statuses of errors, the native and the web client are loaded by choice", async () => {
  const wrong: string[] = [];
  for (const layer of Object.keys(ALLOWED)) {
    for await (const file of sources(layer)) {
      const text = await Deno.readTextFile(file);
      if (/^import (?!type).*"(@libsql\/|libsql")/m.test(text)) {
        wrong.push(`${file} loads a database client at once`);
      }
      if (file !== "routes/http/errors.ts" && /,\s*(400|409|413|429|50\d)\)/.test(text)) {
        wrong.push(`${file} names a status`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});
