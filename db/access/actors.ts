import { isOperator, type ShownToken, type Viewer } from "../viewer.ts";
import { actorsOf, type Acts, isSecure } from "./acts.ts";
import { isKnownGuarded } from "./guarded.ts";
import { isOfAgent } from "./private.ts";
import { IN_FORCE, knownFacts } from "./token.ts";

/** As whom one of several coalesced writes acts. */
export interface Actor {
  token?: ShownToken;
  acts: Acts;
  /** Whether the room may be guarded, so that the batch has to judge who may act. */
  judged: boolean;
  /** Whether it shows a member's token that does not expire, and acts as that token's agent alone. */
  own: boolean;
  /** Whether the write is verified, if it is admitted. */
  verified: boolean;
}

/**
 * Returns as whom a coalesced write acts. Undefined where the write must go alone: this instance does not know the
 * token yet, the operator writes, or an admin acts as another agent, which may be secure.
 */
export function actorOf(viewer: Viewer, acts: Acts, room: string): Actor | undefined {
  const { token } = viewer;
  if (isOperator(viewer)) return undefined;
  if (token === undefined) return { acts, judged: isKnownGuarded(room), own: false, verified: false };
  const facts = knownFacts(viewer);
  if (facts === undefined) return undefined;
  const { role, agent, ends } = facts;
  const isOwn = agent !== null && acts.as === agent;
  if (acts.as != null && !isOwn && role === "admin") return undefined;
  const own = isOwn && role === "member" && !ends &&
    (acts.scopes?.every((scope) => scope === agent || !isOfAgent(scope)) ?? true);
  return { token, acts, judged: true, own, verified: isOwn };
}

/**
 * How coalesced writes are judged: `open` admits rooms only that are open to all, `own` checks the tokens alone, `each`
 * checks what each writer may do. A server prepares the SQL anew each time, so the shortest that suffices is chosen.
 */
export type Judging = "open" | "own" | "each";

export function judgingOf(writers: Actor[]): Judging {
  if (!writers.some(({ judged }) => judged)) return "open";
  return writers.every(({ own }) => own) ? "own" : "each";
}

/**
 * True where no `:own` token is revoked: revoked ones have no row. The room, role, agent and end of a token never
 * change and are known, so no more is checked. Where one is revoked, no room is admitted.
 */
export const OWN_COUNT = `
  NOT EXISTS (
    SELECT 1 FROM json_each(:own) AS own WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE tokens.hash = own.value))`;

/** Makes the argument of `OWN_COUNT`, where that judges. */
export function ownArgs(writes: Array<{ by: Actor }>, judging: Judging): { own?: string } {
  return judging === "own"
    ? { own: JSON.stringify([...new Set(writes.map(({ by }) => by.token!.hash))]) }
    : {};
}

/**
 * A row of `mayAllAct`: the hash of a writer's token, the agent that it names, and one of the agents as whom it acts.
 */
type ActorRow = [hash: string | null, as: string | null, actor: string | null];

/** Makes the rows of `mayAllAct`: one for each agent as whom each writer acts. */
export function rowsOf(writers: Actor[]): ActorRow[] {
  return writers.flatMap(({ token, acts }) => {
    const [hash, as, names] = [token?.hash ?? null, acts.as ?? null, actorsOf(acts)];
    return (names.length === 0 ? [null] : names).map((name): ActorRow => [hash, as, name]);
  });
}

/**
 * True of the row of a room in which each writer may act, as `mayAct` says of one. `rows`: JSON of `rowsOf`, in SQL.
 */
export const mayAllAct = (rows: string) => `
  NOT EXISTS (
    SELECT 1 FROM json_each(${rows}) AS actor
      LEFT JOIN tokens
        ON tokens.hash = actor.value ->> 0 AND tokens.room_id = rooms.id AND ${IN_FORCE}
      LEFT JOIN secured ON secured.room_id = rooms.id AND secured.agent_id = actor.value ->> 2
     WHERE NOT CASE WHEN actor.value ->> 0 IS NULL THEN secured.agent_id IS NULL
       ELSE COALESCE(
         tokens.role = 'admin' OR tokens.role = 'member'
           AND (tokens.agent_id IS NULL OR tokens.agent_id = actor.value ->> 1)
           AND (secured.agent_id IS NULL OR secured.agent_id IS tokens.agent_id),
         FALSE) END)`;

/**
 * Tells, in SQL, whether an admitted write is verified, by how it was judged. `agent`: the one that it names, in SQL.
 */
export const isVerified = {
  own: () => "1",
  each: (agent: string) => isSecure(agent, "rooms.id"),
};
