import type { Database } from "../../db/database.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import type { Operation } from "../../db/write/context.ts";

/** Makes a write without a key; its answer. */
export async function perform<Answer>(
  database: Database,
  { acts, run, answer }: Operation<Answer>,
): Promise<Answer> {
  return answer((await run({ viewer: EVERYBODY, acts, time: database.time, newId: database.newId }))!);
}
