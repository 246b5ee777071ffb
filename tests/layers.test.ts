import assert from "node:assert/strict";
import { PRODUCT, readSource, ROOT, sourcesIn } from "./support/sources.ts";

/** What each layer may import of the project. */
const LAYERS: Record<string, string[]> = {
  "db/": ["db/", "errors.ts"],
  "cel/": ["cel/", "db/"],
  "views/": ["views/"],
  "routes/": ["routes/", "cel/", "db/", "views/", "errors.ts", "version.ts"],
  "client/": ["client/", "version.ts"],
  "cli/": ["cli/", "client/"],
  "errors.ts": ["errors/"],
  "errors/": ["errors/"],
  "version.ts": [],
};

/** What stands on its own, or on little, within its layer. */
const APART: Record<string, string[]> = {
  // The language knows nothing of rooms and of requests.
  "cel/language/": ["cel/language/", "db/json.ts", "db/lru.ts"],
  "cel/rooms/": ["cel/rooms/", "cel/language/", "db/"],
  "cel/waits/": [
    "cel/waits/",
    "cel/language/",
    "db/",
    "cel/rooms/expression.ts",
    "cel/rooms/reader.ts",
    "cel/rooms/context.ts",
    "cel/rooms/definitions.ts",
    "cel/rooms/look.ts",
    "cel/rooms/judging.ts",
    "cel/rooms/chains.ts",
  ],
  // What all resources share knows none of them.
  "routes/http/": ["routes/http/", "cel/", "db/", "errors.ts"],
  // A panel knows what pages share, and nothing of the page around it.
  "views/panels/": ["views/panels/", "views/shared/"],
  "views/shared/": ["views/shared/"],
  // Tools call the API and have no rule of their own.
  "routes/mcp/": ["routes/mcp/", "routes/http/", "db/yield.ts", "version.ts"],
};

/** Each imports only its own row and those above it. */
const DATABASE = [
  [
    "db/json.ts",
    "db/lru.ts",
    "db/pause.ts",
    "db/refusal.ts",
    "db/release.ts",
    "db/yield.ts",
    "db/serialize.ts",
    "db/viewer.ts",
  ],
  ["db/driver/"],
  ["db/clock.ts"],
  ["db/access/"],
  ["db/batching/"],
  ["db/bus.ts", "db/store.ts", "db/database.ts"],
  ["db/write/"],
  ["db/consistent_read/"],
  ["db/rooms/"],
  ["db/tokens/"],
  ["db/agents/"],
  ["db/invites/"],
  ["db/messages/"],
  ["db/state/"],
  ["db/reservations/"],
  ["db/snapshots/"],
];

interface Import {
  target: string;
  type: boolean;
}

/** What a source imports of the project, as paths from its folder: types and what is loaded late as well. */
function importsOf(file: string): Import[] {
  const source = readSource(file).replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const found = source.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"/gm,
  );
  return [...found].map(([, type, named, late]) => ({
    target: new URL((named ?? late)!, new URL(file, ROOT)).href.slice(ROOT.href.length),
    type: type !== undefined,
  }));
}

const FILES = [...PRODUCT.flatMap(sourcesIn), "main.ts", "start.ts", "migrate.ts", "errors.ts", "version.ts"];
const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]));

/** True where a path is one of these files, or in one of these folders, whose names end in a slash. */
const isIn = (path: string, places: string[]) =>
  places.some((place) => place.endsWith("/") ? path.startsWith(place) : path === place);

/** The imports that `mayImport` forbids. */
function forbidden(mayImport: (file: string, imported: Import) => boolean): string[] {
  return [...IMPORTS].flatMap(([file, imports]) =>
    imports.filter((imported) => !mayImport(file, imported)).map(({ target }) => `${file} imports ${target}`)
  );
}

/** A rule that lists for folders what their files may import. */
const among = (rules: Record<string, string[]>) => (file: string, { target }: Import) =>
  Object.entries(rules).every(([folder, allowed]) => !file.startsWith(folder) || isIn(target, allowed));

Deno.test("imports go down only: routes -> cel -> db, and routes -> views; cli -> client", () => {
  assert.ok(FILES.length > 200, `${FILES.length} files`);
  const imports = [...IMPORTS.values()].flat();
  assert.ok(imports.length > 1_000, `${imports.length} imports`);
  assert.deepEqual(forbidden(among(LAYERS)), []);
});

Deno.test("the language and what resources share stand alone, waits know rooms and panels know pages by a few files", () => {
  for (const folder of Object.keys(APART)) assert.ok(sourcesIn(folder.slice(0, -1)).length >= 3, folder);
  assert.deepEqual(forbidden(among(APART)), []);
});

Deno.test("of the database the language takes the type Json and the cache alone, of the errors the database their types", () => {
  const taken = forbidden((file, { target, type }) =>
    type ||
    target === "db/lru.ts" || !(file.startsWith("cel/language/") && target.startsWith("db/")) &&
      !(file.startsWith("db/") && target === "errors.ts")
  );
  assert.deepEqual(taken, []);
});

Deno.test("each part of the database imports only what stands before it", () => {
  const rowOf = (path: string) => DATABASE.findIndex((places) => isIn(path, places));
  const files = sourcesIn("db");
  assert.deepEqual(files.filter((file) => rowOf(file) < 0), [], "files without a place");
  assert.deepEqual(DATABASE.flat().filter((place) => !files.some((file) => isIn(file, [place]))), []);
  const upward = forbidden((file, { target }) => !file.startsWith("db/") || rowOf(target) <= rowOf(file));
  assert.deepEqual(upward, []);
});

/** A circle that can be walked from a file on; `known` are those from which none can. */
function circleFrom(file: string, path: string[], known: Set<string>): string[] | undefined {
  const begun = path.indexOf(file);
  if (begun >= 0) return [...path.slice(begun), file];
  if (known.has(file)) return undefined;
  for (const { target } of IMPORTS.get(file) ?? []) {
    const circle = circleFrom(target, [...path, file], known);
    if (circle) return circle;
  }
  known.add(file);
}

Deno.test("no file imports itself by way of others, not for types either", () => {
  const known = new Set<string>();
  for (const file of FILES) assert.equal(circleFrom(file, [], known)?.join(" -> "), undefined);
});

Deno.test("only the table of errors knows their statuses, the native and the web client are loaded by choice", () => {
  const wrong: string[] = [];
  for (const file of FILES) {
    const text = readSource(file);
    if (/^import (?!type).*"(@libsql\/|libsql")/m.test(text)) {
      wrong.push(`${file} loads a database client at once`);
    }
    if (
      !isIn(file, ["errors.ts", "errors/"]) && /,\s*(400|409|413|429|50\d)\)|\bstatus: [45]\d\d\b/.test(text)
    ) {
      wrong.push(`${file} names a status`);
    }
  }
  assert.deepEqual(wrong, []);
});
