import { tmpdir } from "node:os";

/** Where the databases of tests are: the folder that TEST_DATABASES names, or the one for temporary files. */
export const DATABASES_AT = Deno.env.get("TEST_DATABASES") || tmpdir();

/** Makes a folder for a database. */
export function databaseFolder(): Promise<string> {
  return Deno.makeTempDir({ dir: DATABASES_AT, prefix: "convene-" });
}

/** Runs a test with a folder of its own, which is removed afterwards. */
export async function withFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
