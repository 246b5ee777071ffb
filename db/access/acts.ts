import type { Condition, Row, Statement } from "../driver/statement.ts";
import { isOperator, type Viewer } from "../viewer.ts";
import { isOfAgent } from "./private.ts";
import { IS_SHOWN } from "./token.ts";

/** The agents as whom a write acts. */
export interface Acts {
  /** The agent that it names; null where it could name one and does not, undefined where it cannot. */
  as?: string | null;
  /** The scopes that it writes: who writes an agent's scope acts as that agent. */
  scopes?: string[];
}

/** True of an agent of a room, both in SQL, that is secure. A write that was admitted as such an agent is verified. */
export const isSecure = (agent: string, room = ":room") =>
  `EXISTS (SELECT 1 FROM secured WHERE secured.room_id = ${room} AND secured.agent_id = ${agent})`;

export const AS_NONE: Acts = {};

/** Returns the agents as whom a write acts. The writer must be entitled to act as those of them that are secure. */
export function actorsOf({ as, scopes = [] }: Acts): string[] {
  const own = scopes.filter(isOfAgent);
  return [...new Set(as == null ? own : [as, ...own])];
}

/** Binds the actors; `sql` lists their parameters. */
function namesOf(actors: string[]): Condition {
  const args = Object.fromEntries(actors.map((actor, n) => [`actor_${n}`, actor]));
  return { sql: Object.keys(args).map((name) => `:${name}`).join(", "), args };
}

/**
 * Makes the condition, on the row of `:room`, that a viewer may write to it as these agents. Undefined where it may in
 * any room: as the operator, or as no agent without a token.
 */
export function mayAct(viewer: Viewer, acts: Acts): Condition | undefined {
  if (isOperator(viewer)) return undefined;
  const { token } = viewer;
  const actors = actorsOf(acts);
  const names = namesOf(actors);
  const secured =
    `SELECT 1 FROM secured WHERE secured.room_id = :room AND secured.agent_id IN (${names.sql})`;
  if (token === undefined) {
    if (actors.length === 0) return undefined;
    return { sql: `(NOT rooms.guarded OR NOT EXISTS (${secured}))`, args: names.args };
  }
  const asItself = acts.as === undefined ? [] : ["(tokens.agent_id IS NULL OR tokens.agent_id = :acting_as)"];
  const noOther = actors.length === 0
    ? []
    : [`NOT EXISTS (${secured} AND secured.agent_id IS NOT tokens.agent_id)`];
  const asMember = ["tokens.role = 'member'", ...asItself, ...noOther].join(" AND ");
  return {
    sql: `EXISTS (SELECT 1 FROM tokens WHERE ${IS_SHOWN} AND (tokens.role = 'admin' OR ${asMember}))`,
    args: {
      ...names.args,
      viewer_token: token.hash,
      ...asItself.length > 0 && { acting_as: acts.as ?? null },
    },
  };
}

/** Makes the condition, in a statement with `:room`, that a viewer is an admin of the room. */
export function isAdmin(viewer: Viewer): Condition {
  if (isOperator(viewer)) return { sql: "TRUE", args: {} };
  if (viewer.token === undefined) return { sql: "FALSE", args: {} };
  return {
    sql: `EXISTS (SELECT 1 FROM tokens WHERE ${IS_SHOWN} AND tokens.role = 'admin')`,
    args: { viewer_token: viewer.token.hash },
  };
}

/** Makes the same as `mayAct` for a statement that has no row of the room. */
export function mayActIn(viewer: Viewer, acts: Acts): Condition | undefined {
  const may = mayAct(viewer, acts);
  return may && { sql: `EXISTS (SELECT 1 FROM rooms WHERE rooms.id = :room AND ${may.sql})`, args: may.args };
}

/** Selects, in a statement with `:room`, which of `:actors`, JSON, are secure: a column for `toSecured`. */
export const SECURED = `
  (SELECT json_group_array(agent_id) FROM secured
    WHERE room_id = :room AND agent_id IN (SELECT value FROM json_each(:actors)))`;

/** Selects one row, for `toSecured`, with which of some agents are secure. */
export function selectSecured(room: string, actors: string[]): Statement {
  return {
    sql: `SELECT ${SECURED} AS secured`,
    args: { room, actors: JSON.stringify(actors) },
    single: true,
  };
}

export function toSecured({ secured }: Row): string[] {
  return JSON.parse(secured as string);
}
