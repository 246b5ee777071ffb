import { actorsOf, selectSecured } from "../access/acts.ts";
import { knownFacts } from "../access/token.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import type { WriteAs } from "./context.ts";

/**
 * Returns why a viewer may not act as it does in a guarded room: `unauthenticated` or `forbidden`; undefined where it
 * may. `secured`: the rows of `selectSecured`, if they were read with what it did, as was its token.
 */
export async function refusalOf(
  database: Database,
  { viewer, acts }: WriteAs,
  room: string,
  { writes, secured }: { writes: boolean; secured?: Row[] },
): Promise<Refusal | undefined> {
  if (viewer.token && !knownFacts(viewer)) await database.read(viewer, []);
  const facts = knownFacts(viewer);
  if (facts?.role === "admin") return undefined;
  if (facts?.role === "reader" && writes) return new Refusal("forbidden", { may: "read" });
  const own = facts?.agent ?? null;
  if (facts && acts.as !== undefined && own !== null && acts.as !== own) {
    return new Refusal("forbidden", { agent: own });
  }
  const others = actorsOf(acts).filter((actor) => actor !== own);
  if (others.length === 0) return undefined;
  const rows = secured ?? (await database.read(viewer, [selectSecured(room, acts)]))[0]!;
  const other = rows.find(({ agent_id }) => agent_id !== own)?.agent_id as string | undefined;
  if (other === undefined) return undefined;
  return facts ? new Refusal("forbidden", { other }) : new Refusal("unauthenticated", { agent: other });
}
