import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const DYNAMIC = /\bimport\("([^"]+)"\)/g;

/** The modules that these sources load when they need them, by their last name. */
async function loadedBy(files: string[]): Promise<Set<string>> {
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(new URL(file, root))));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(DYNAMIC)].map(([, name]) => name!.split("/").at(-1)!)),
  );
}

Deno.test("what requests load when they first need it is loaded soon after the start", async () => {
  const sources = ["db", "cel", "routes", "routes/mcp"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, root))].filter(({ name }) => name.endsWith(".ts"))
      .map(({ name }) => `${folder}/${name}`)
  );
  const preloading = ["routes/preload.ts", "db/open.ts"];
  const later = await loadedBy(sources.filter((file) => !preloading.includes(file)));
  assert.ok(later.size >= 6, [...later].join());
  assert.deepEqual([...later.difference(await loadedBy(preloading))], []);
});
