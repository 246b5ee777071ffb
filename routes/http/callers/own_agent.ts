import type { Context } from "hono";
import { knownFacts } from "../../../db/access/token.ts";
import type { Database } from "../../../db/database.ts";
import type { TokenFacts, Viewer } from "../../../db/viewer.ts";

interface Callers {
  database: Database;
  viewerOf(c: Context): Viewer;
}

/**
 * Returns the agent that a request acts as where it names none: that to which its token is bound. It looks at a token
 * that this instance has not seen before; one that does not count is refused. Errors: `unauthenticated`,
 * `room_not_found`.
 */
function ownAgent(c: Context, services: Callers): undefined | Promise<string | undefined> {
  const viewer = services.viewerOf(c);
  return viewer.token && factsOf(services.database, viewer).then((facts) => facts?.agent ?? undefined);
}

/** The same as the member of a body that it fills (`readBody`). */
export async function ownMember(
  c: Context,
  services: Callers,
  name = "agent",
): Promise<Record<string, string | undefined> | undefined> {
  const agent = await ownAgent(c, services);
  return agent === undefined ? undefined : { [name]: agent };
}

async function factsOf(database: Database, viewer: Viewer): Promise<TokenFacts | undefined> {
  const facts = knownFacts(viewer);
  if (facts) return facts;
  await database.read(viewer, []);
  return knownFacts(viewer);
}
