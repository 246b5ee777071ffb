import assert from "node:assert/strict";
import { readSource, sourcesIn } from "../support/sources.ts";

const DYNAMIC = /\bimport\("([^"]+)"\)/g;

/** The modules that these sources load when they need them, by their last name. */
function loadedBy(files: string[]): Set<string> {
  return new Set(
    files.map(readSource).flatMap((text) =>
      [...text.matchAll(DYNAMIC)].map(([, name]) => name!.split("/").at(-1)!)
    ),
  );
}

Deno.test("what requests load when they first need it is loaded soon after the start", () => {
  const sources = ["db", "cel", "routes"].flatMap(sourcesIn);
  const preloading = ["routes/process/preload.ts", "db/driver/open.ts"];
  const later = loadedBy(sources.filter((file) => !preloading.includes(file)));
  assert.ok(later.size >= 6, [...later].join());
  assert.deepEqual([...later.difference(loadedBy(preloading))], []);
});
