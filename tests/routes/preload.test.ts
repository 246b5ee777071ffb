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

function sourcesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? sourcesIn(path) : name.endsWith(".ts") ? [path] : [];
  });
}

Deno.test("what requests load when they first need it is loaded soon after the start", async () => {
  const sources = ["db", "cel", "routes"].flatMap((folder) => sourcesIn(folder));
  const preloading = ["routes/process/preload.ts", "db/driver/open.ts"];
  const later = await loadedBy(sources.filter((file) => !preloading.includes(file)));
  assert.ok(later.size >= 6, [...later].join());
  assert.deepEqual([...later.difference(await loadedBy(preloading))], []);
});
