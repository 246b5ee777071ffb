/** A known bug, as a replacement of one piece of a source, and the test that must catch it. */
export interface Mutant {
  name: string;
  file: string;
  search: string;
  replace: string;
  test: string;
  filter: string;
}

export const MUTANTS: Mutant[] = [
  {
    name: "no revision guard",
    file: "cel/gate.ts",
    search: "write(guardFor(data))",
    replace: "write({ ...guardFor(data), seen: 2 ** 50 })",
    test: "tests/cel/gate.test.ts",
    filter: "a gate holds in the very state",
  },
  {
    name: "claim without nobody has it",
    file: "db/message_writes.ts",
    search: " AND claimed_by IS NULL)",
    replace: ")",
    test: "tests/contract/claims.test.ts",
    filter: "file: of many claims at once",
  },
  {
    name: "clearing waits without the token",
    file: "db/presence.ts",
    search:
      "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND token = :token`",
    replace: "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent`",
    test: "tests/cel/watch.test.ts",
    filter: "a wait that ends clears its own mark",
  },
];

export const root = new URL("../../", import.meta.url);

/** The source with the bug in it. Throws where the text to replace does not occur exactly once. */
export async function mutated({ name, file, search, replace }: Mutant): Promise<string> {
  const parts = (await Deno.readTextFile(new URL(file, root))).split(search);
  if (parts.length !== 2) throw new Error(`${name}: its text occurs ${parts.length - 1} times in ${file}`);
  return parts.join(replace);
}
