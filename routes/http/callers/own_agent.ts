import type { Context } from "hono";
import { knownFacts } from "../../../db/access/token.ts";
import type { Database } from "../../../db/database.ts";
import type { TokenFacts, Viewer } from "../../../db/viewer.ts";
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
  const facts = knownFacts(viewer) ?? await lookedInTime(factsOf(database, viewer), c);
  return facts?.agent ?? undefined;
}

/** Returns the same of a viewer; null where it is bound to none. */
export async function agentOf(database: Database, viewer: Viewer): Promise<string | null> {
  if (viewer.token === undefined) return null;
  return (await factsOf(database, viewer))?.agent ?? null;
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

async function factsOf(database: Database, viewer: Viewer): Promise<TokenFacts | undefined> {
  const facts = knownFacts(viewer);
  if (facts) return facts;
  await database.read(viewer, []);
  return knownFacts(viewer);
}
