import type { Context } from "hono";
import { knownFacts } from "../../../db/access/token.ts";
import type { Database } from "../../../db/database.ts";
import type { Viewer } from "../../../db/viewer.ts";
import { lookedInTime } from "../deadline.ts";

/** What tells on whose behalf a request acts. */
export interface Callers {
  database: Database;
  viewerOf(c: Context): Viewer;
}

/**
 * Returns the agent to which a request's token is bound: it acts as that where it names none. Reads a token that this
 * instance has not seen before. Errors: `unauthenticated` and `room_not_found` for a token that is not in force.
 */
export async function ownAgent(c: Context, { database, viewerOf }: Callers): Promise<string | undefined> {
  const viewer = viewerOf(c);
  if (viewer.token === undefined) return undefined;
  // Waits have no deadline of their own before they begin.
  if (!knownFacts(viewer)) await lookedInTime(database.read(viewer, []), c);
  return knownFacts(viewer)?.agent ?? undefined;
}

/** A member that a body may leave out, and its value then. */
export interface Filled {
  name: string;
  value(): Promise<string | undefined>;
}

/** Fills in the member of a body that names the agent (`readBody`), with `ownAgent`. Undefined without a token. */
export function ownMember(c: Context, services: Callers, name = "agent"): Filled | undefined {
  return services.viewerOf(c).token && { name, value: () => ownAgent(c, services) };
}
