import { isOperator, type ShownToken, type Viewer } from "../viewer.ts";
import { actorsOf, type Acts } from "./acts.ts";
import { isKnownGuarded } from "./guarded.ts";
import { IN_FORCE, knownFacts } from "./token.ts";

/** As whom one of several writes acts that the database admits together. */
export interface Actor {
  token?: ShownToken;
  acts: Acts;
  /** Whether the room's row alone may not let it write: then all that are admitted together are judged. */
  judged: boolean;
  /** Whether it acts as the agent of its member's token, which has no end, and as no other. */
  own: boolean;
  /** Whether what it writes is verified, if it is admitted. */
  verified: boolean;
}

/**
 * Returns as whom a write acts with others; undefined where it must go alone: if this instance does not know the token
 * yet, it is the operator, or an admin speaks as an agent that may be secure.
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
    (acts.scopes?.every((scope) => scope === agent || scope.startsWith("_")) ?? true);
  return { token, acts, judged: true, own, verified: isOwn };
}

/**
 * How a batch of writes is judged: not, where each room is to be open to all; by their tokens alone, where all are `own`;
 * or each by itself. The less SQL, the better: a server prepares it anew each time.
 */
export type Judging = "open" | "own" | "each";

export function judgingOf(writers: Actor[]): Judging {
  if (!writers.some(({ judged }) => judged)) return "open";
  return writers.every(({ own }) => own) ? "own" : "each";
}

/**
 * True where all `:own` tokens of a batch count: those that are revoked have no row. A token has one room, role, agent and
 * end for good, which are known, so no more is asked. Where one does not count, no room is admitted.
 */
export const OWN_COUNT = `
  NOT EXISTS (
    SELECT 1 FROM json_each(:own) AS own WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE tokens.hash = own.value))`;

/** Makes the argument of `OWN_COUNT`. */
export function ownTokens(writers: Actor[]): string {
  return JSON.stringify([...new Set(writers.map(({ token }) => token!.hash))]);
}

/** A writer, for `mayAllAct`: the token that it shows, as whom it writes, and one of those that it acts as. */
export type ActorRow = [hash: string | null, as: string | null, actor: string | null];

export function rowsOf(writers: Actor[]): ActorRow[] {
  return writers.flatMap(({ token, acts }) => {
    const [hash, as, names] = [token?.hash ?? null, acts.as ?? null, actorsOf(acts)];
    return (names.length === 0 ? [null] : names).map((name): ActorRow => [hash, as, name]);
  });
}

/** True of the row of a room that all of these may write to: what `mayAct` says of each. `rows`: as JSON, in SQL. */
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

/** Whether what each of some admitted writes brings is verified. `agent`: as whom, in SQL. */
export const isVerified = {
  own: () => "1",
  each: (agent: string) =>
    `EXISTS (SELECT 1 FROM secured WHERE secured.room_id = rooms.id AND secured.agent_id = ${agent})`,
};
