import { NOW } from "../clock.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { createLru } from "../lru.ts";
import { Refusal } from "../refusal.ts";
import { THERE } from "../release.ts";
import { isOperator, type ShownToken, type TokenFacts, type Viewer } from "../viewer.ts";
import { shownRoom } from "./locked.ts";
import type { Role } from "./token_text.ts";

/** True of the row of a token in force. Revoked tokens have no row. */
export const inForce = (tokens: string) => `(${tokens}.expires_at IS NULL OR ${tokens}.expires_at > ${NOW})`;
export const IN_FORCE = inForce("tokens");

/** True of the row of the token that the viewer shows in `:room`, if it is in force. */
export const IS_SHOWN = `tokens.hash = :viewer_token AND tokens.room_id = :room AND ${IN_FORCE}`;

/**
 * Selects the generation of all tokens: a random number, which triggers draw anew whenever a token is made, rotated or
 * revoked. At the generation at which a token was in force it still is, unless it expires. So one look serves a batch of
 * reads, whatever the number of its tokens.
 */
const GENERATION = "SELECT generation AS checked FROM token_generation WHERE one = 1";
export const CHECK_GENERATION: Statement = { sql: GENERATION, args: {}, single: true };

/** Selects one row: the token, null where it is not in force in the room, and whether an open room has this id. */
const CHECK = `
  SELECT tokens.id, tokens.role, tokens.agent_id, tokens.expires_at, tokens.last_used_at,
         tokens.unused AND tokens.previous_hash IS NOT NULL AND tokens.request_key IS NOT NULL AS replaceable,
         (${GENERATION}) AS generation,
         EXISTS (SELECT 1 FROM rooms WHERE id = :open AND ${THERE}) AS is_open
    FROM (SELECT 1) LEFT JOIN tokens ON ${IS_SHOWN}`;

/**
 * Selects, as one JSON text, the generation, and the tokens that are not in force any more, each with whether an open
 * room has its room's id.
 */
const findGone = (counts: string) => `
  SELECT json_object('generation', (${GENERATION}), 'gone', json_group_array(json_array(
           asked.key, EXISTS (SELECT 1 FROM rooms WHERE id = :open ->> asked.key AND ${THERE})))) AS checked
    FROM json_each(:hashes) AS asked
   WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE tokens.hash = asked.value${counts})`;
const FIND_GONE = findGone(` AND ${IN_FORCE}`);
/** Finds those of tokens that do not expire: the index of hashes suffices. */
const FIND_REVOKED = findGone("");

function selectToken({ hash, room }: ShownToken): Statement {
  return { sql: CHECK, args: { viewer_token: hash, room, open: shownRoom(room) }, single: true };
}

export const KNOWN_TOKENS = 10_000;

/** Facts by hash. They only save a check: whatever they lead to, the database judges (db/access/acts.ts). */
const known = createLru<TokenFacts>(KNOWN_TOKENS);

const FACTS_OF_OPERATOR: Omit<TokenFacts, "room"> = {
  ...{ id: "", role: "admin", agent: null, ends: false },
  // No use of the operator's token is recorded.
  usedAt: Infinity,
  generation: null,
  replaceable: false,
};

/** Reads the row of `selectToken`. Errors: `unauthenticated`; `room_not_found` where no open room has the id. */
function checkToken(token: ShownToken, row: Row): void {
  const { hash, room } = token;
  if (row.id === null) {
    if (known.get(hash)?.room === room) known.delete(hash);
    token.facts = undefined;
    throw new Refusal(row.is_open ? "unauthenticated" : "room_not_found", {});
  }
  const generation = row.generation as number | null;
  if (token.facts) return void (token.facts.generation = generation);
  const [id, role, agent] = [row.id as string, row.role as Role, row.agent_id as string | null];
  const [usedAt, replaceable] = [Number(row.last_used_at), Boolean(row.replaceable)];
  token.facts = { id, room, role, agent, ends: row.expires_at !== null, usedAt, generation, replaceable };
  known.set(hash, token.facts);
}

/** Records what this instance knows of a token that it has made, which saves a check. */
export function learnToken(
  hash: string,
  facts: Omit<TokenFacts, "usedAt" | "generation" | "replaceable">,
  replaceable = false,
) {
  known.set(hash, { ...facts, usedAt: 0, generation: null, replaceable });
}

export interface TokensCheck {
  /** The first one selects one value, `checked`. It is the only one where this instance has seen all these tokens. */
  statements: Statement[];
  /** Returns the refusals of viewers, by their keys. */
  refusals(rows: Row[][]): Map<string, Error>;
}

/**
 * Makes one check of these viewers' tokens. Of a token that this instance has seen, it asks only whether it is still in
 * force.
 */
export function checkOf(viewers: Viewer[]): TokensCheck {
  const holders = new Map<string, Viewer>();
  for (const viewer of viewers) holders.set(viewer.key, viewer);
  const [seen, others]: [Viewer[], Viewer[]] = [[], []];
  const facts: TokenFacts[] = []; // of those seen
  for (const viewer of holders.values()) {
    const own = knownFacts(viewer);
    (own ? seen : others).push(viewer);
    if (own) facts.push(own);
  }
  const asked = {
    hashes: JSON.stringify(seen.map(({ token }) => token!.hash)),
    open: JSON.stringify(seen.map(({ token }) => shownRoom(token!.room))),
  };
  return {
    statements: [
      { sql: facts.some(({ ends }) => ends) ? FIND_GONE : FIND_REVOKED, args: asked, single: true },
      ...others.map(({ token }) => selectToken(token!)),
    ],
    refusals([checked, ...rows]) {
      const refused = new Map<string, Error>();
      const check = (viewer: Viewer, row: Row) => {
        try {
          checkToken(viewer.token!, row);
        } catch (error) {
          refused.set(viewer.key, error as Error);
        }
      };
      const { generation, gone } = JSON.parse(checked![0]!.checked as string);
      for (const own of facts) own.generation = generation;
      for (const [n, is_open] of gone) {
        facts[n]!.generation = null; // other viewers share the facts, whatever this one has by now
        check(seen[n]!, { id: null, is_open });
      }
      others.forEach((viewer, n) => check(viewer, rows[n]![0]!));
      return refused;
    },
  };
}

/** Adds the check of the viewer's token. It comes first, since a write may revoke the token. */
export function withCheck(viewer: Viewer, statements: Statement[]): Statement[] {
  return isLookedUp(viewer) ? [selectToken(viewer.token), ...statements] : statements;
}

/** Whether a viewer shows a token that the database has. The operator's token, only the service knows. */
export function isLookedUp(viewer: Viewer): viewer is Viewer & { token: ShownToken } {
  return viewer.token !== undefined && !isOperator(viewer);
}

/** Takes the check out of the rows. Errors: `unauthenticated`; `room_not_found` where no open room has the id. */
export function checked(viewer: Viewer, rows: Row[][]): Row[][] {
  if (!isLookedUp(viewer)) return rows;
  const [[row], ...others] = rows as [[Row], ...Row[][]];
  checkToken(viewer.token, row);
  return others;
}

export function isKnownToken(hash: string): boolean {
  return known.has(hash);
}

/** Whether this instance has seen a token in force in a room. `room`: its stored id. */
export function isKnownIn(hash: string, room: string): boolean {
  return known.get(hash)?.room === room;
}

/** Returns the generation at which the viewer's token was last in force; null where that is not all that it takes. */
export function knownGeneration(viewer: Viewer): number | null {
  const facts = knownFacts(viewer);
  return facts === undefined || facts.ends ? null : facts.generation;
}

/** Returns the facts of the viewer's token, if this instance has seen it before. */
export function knownFacts(viewer: Viewer): TokenFacts | undefined {
  if (isOperator(viewer)) return { ...FACTS_OF_OPERATOR, room: viewer.token!.room };
  const { token } = viewer;
  if (token === undefined || token.facts) return token?.facts;
  const facts = known.get(token.hash);
  return facts?.room === token.room ? token.facts = facts : undefined;
}
