import { actorsOf, selectSecured, toSecured } from "../access/acts.ts";
import { knownFacts } from "../access/token.ts";
import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import type { Viewer } from "../viewer.ts";
import type { WriteAs } from "./context.ts";

/**
 * Returns the agents as whom a viewer may act only if they are not secure: all but those to which its token, as far as
 * this instance knows it, entitles it.
 */
export function unprovenActors({ viewer, acts }: Pick<WriteAs, "viewer" | "acts">): string[] {
  const facts = knownFacts(viewer);
  return facts?.role === "admin" ? [] : actorsOf(acts).filter((actor) => actor !== facts?.agent);
}

/**
 * Returns the refusal of whoever may not act so in a guarded room: `unauthenticated` or `forbidden`; undefined where the
 * viewer may. `writes`: whether it wants to write. `secured`: those of `unprovenActors` that are secure, which were read
 * with the viewer's token.
 */
export function judgeActs(
  by: Pick<WriteAs, "viewer" | "acts">,
  { writes, secured }: { writes: boolean; secured: readonly string[] },
): Refusal | undefined {
  const facts = knownFacts(by.viewer);
  if (facts?.role === "reader" && writes) return new Refusal("forbidden", { may: "read" });
  const own = facts?.agent ?? null;
  if (facts && facts.role !== "admin" && own !== null && by.acts.as !== undefined && by.acts.as !== own) {
    return new Refusal("forbidden", { agent: own });
  }
  const other = unprovenActors(by).find((actor) => secured.includes(actor));
  if (other === undefined) return undefined;
  return facts ? new Refusal("forbidden", { other }) : new Refusal("unauthenticated", { agent: other });
}

/** Returns the same, and reads what that takes unless `secured` was read by the same batch as what the viewer did. */
export async function refusalOf(
  database: Database,
  by: Pick<WriteAs, "viewer" | "acts">,
  room: string,
  { writes, secured }: { writes: boolean; secured?: readonly string[] },
): Promise<Refusal | undefined> {
  if (by.viewer.token && !knownFacts(by.viewer)) await database.read(by.viewer, []);
  const refusal = judgeActs(by, { writes, secured: secured ?? [] });
  if (refusal || secured) return refusal;
  return judgeActs(by, { writes, secured: await readSecured(database, by.viewer, room, unprovenActors(by)) });
}

/** Returns which of some agents are secure. Without agents it reads nothing. */
export async function readSecured(
  database: Database,
  viewer: Viewer,
  room: string,
  actors: string[],
): Promise<string[]> {
  if (actors.length === 0) return [];
  const [rows] = await database.read(viewer, [selectSecured(room, actors)]);
  return toSecured(rows![0]!);
}
