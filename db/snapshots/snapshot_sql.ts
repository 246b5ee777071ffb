import { SECURED } from "../access/acts.ts";
import { isKnownGuarded } from "../access/guarded.ts";
import { AGENT, OF_AGENT, selectAgents } from "../agents/agent.ts";
import { NEWEST_TWO_WAITS, newestTwoWaits } from "../agents/waits.ts";
import { NOW } from "../clock.ts";
import type { Query } from "../consistent_read/read.ts";
import { type Statement, weightOf } from "../driver/statement.ts";
import { REVISION } from "../release.ts";
import { VIEW_SCOPE } from "../state/entry.ts";
import { selectLiving } from "../consistent_read/living.ts";
import type { Viewer } from "../viewer.ts";
import { DUE } from "../write/due.ts";
import { type ReadSet, scopesOfAgents, stateArgs } from "../write/read_set.ts";
import { hiddenQueries, mayLackHidden } from "./hidden.ts";
import type { FactsQuery } from "./message_facts.ts";
import { KEY_WEIGHT, MAX_LOOKED_UP, OF_KEYS, OF_SCOPES, selectValues, VALUE_CELLS } from "./values.ts";

export interface SnapshotQuery extends ReadSet {
  facts: FactsQuery;
  /** The agents whose eyes are used besides the viewer's. */
  eyes: readonly string[];
  views: boolean;
  /** The agents of which it matters to a guarded room whether they are secure. */
  actors: readonly string[];
}

const selectRoom = (further: string[]) => `
  SELECT created_at, ${REVISION} AS revision, state_revision, private_revision, views_revision, agents_revision,
         messages_revision, message_count, unclaimed_count, ${[`${NOW} AS now`, DUE, ...further].join(", ")}
    FROM rooms WHERE id = :room`;

const VALUES = `WHERE room_id = :room AND scope <> '${VIEW_SCOPE}'`;
const LOOKED_UP = `
  FROM json_each(:keys) AS wanted
  CROSS JOIN state
    ON state.room_id = :room AND state.scope = wanted.value ->> 0 AND state.key = wanted.value ->> 1
 WHERE NOT deleted AND expr IS NULL`;
const STATE_KEYS = `SELECT state.scope, state.key, state.value ${LOOKED_UP}`;

// Takes a server two thirds of the time to prepare that the same for several keys takes.
const WITH_KEY = `
  (SELECT json_array(json_array(${VALUE_CELLS})) FROM state
    WHERE room_id = :room AND scope = :scope AND key = :key AND NOT deleted AND expr IS NULL) AS looked_up`;
const WITH_KEYS = `
  (SELECT json_group_array(json_array(state.scope, state.key, state.value)) ${LOOKED_UP}) AS looked_up`;

const WITH_AGENT = [
  `(SELECT json_array(json_array(${AGENT})) ${OF_AGENT}) AS agent`,
  `${NEWEST_TWO_WAITS} AS waits`,
];

const VIEWS = `${
  selectLiving("key, expr, eyes", `WHERE room_id = :room AND scope = '${VIEW_SCOPE}'`)
} ORDER BY key`;

const AGENT_IDS_ALL = `SELECT id FROM agents WHERE room_id = :room ORDER BY joined`;
const AGENT_IDS_SOME = `
  SELECT id FROM agents WHERE room_id = :room AND id IN (SELECT value FROM json_each(:agents)) ORDER BY joined`;

const NAMED_AGENTS = `
  SELECT ${AGENT} FROM agents
   WHERE room_id = :room AND id IN (SELECT value FROM json_each(:agents)) ORDER BY joined`;

/** The weight of one agent that is looked up: few `meta` are half as long as allowed. */
const AGENT_WEIGHT = 4;

/**
 * The maximum number of keys that come in the room's row: one statement needs no transaction, which takes a server a
 * tenth less time.
 */
const FEW_LOOKED_UP = 8;

/** The weight of 64 views of 4,096 characters, which rooms that are older than the limit of bytes may have. */
const VIEWS_WEIGHT = weightOf(2 ** 18);

type StateQuery = SnapshotQuery["state"];

/** Makes the queries of a snapshot by name. The room's row comes first. */
export function snapshotQueries(viewer: Viewer, room: string, query: SnapshotQuery): Record<string, Query> {
  return {
    room: roomQuery(viewer, room, query),
    ...stateQueries(room, query.state),
    ...query.views && { views: { sql: VIEWS, args: { room }, weight: VIEWS_WEIGHT } },
    ...agentQueries(room, query.agents),
    ...hiddenQueries(viewer, room, query),
  };
}

/** Further columns of the room's row. */
interface Columns extends Pick<Statement, "args"> {
  sql: string[];
  weight?: number;
}

/** Selects the room's row, with a few keys that are looked up, and one agent: nearly every wait reads its own. */
function roomQuery(viewer: Viewer, room: string, query: SnapshotQuery): Statement {
  const all = [lookedUp(query.state), namedAgent(query.agents), ofViewer(viewer, room, query)];
  return {
    sql: selectRoom(all.flatMap(({ sql }) => sql)),
    args: Object.assign({ room }, ...all.map(({ args }) => args)),
    single: true,
    weight: all.reduce((sum, { weight = 0 }) => sum + weight, 1),
  };
}

function lookedUp(state: StateQuery): Columns {
  const keys = state === "all" ? [] : state.keys;
  if (keys.length === 0 || keys.length > FEW_LOOKED_UP) return { sql: [], args: {} };
  const weight = KEY_WEIGHT * keys.length;
  if (keys.length === 1) return { sql: [WITH_KEY], args: { ...keys[0]! }, weight };
  return { sql: [WITH_KEYS], args: { keys: stateArgs({ scopes: [], keys }).keys }, weight };
}

function namedAgent(agents: SnapshotQuery["agents"]): Columns {
  if (agents === "all" || agents.length !== 1) return { sql: [], args: {} };
  return { sql: WITH_AGENT, args: { agent: agents[0]! }, weight: AGENT_WEIGHT };
}

/** Makes the columns that tell of the viewer: whether it sees more than is read, and as whom it may not act. */
function ofViewer(viewer: Viewer, room: string, query: SnapshotQuery): Columns {
  const sees = mayLackHidden(viewer, query);
  const asks = query.actors.length > 0 && (viewer.token !== undefined || isKnownGuarded(room));
  return {
    sql: [...sees ? [`${sees.sql} AS sees`] : [], ...asks ? [SECURED] : []],
    args: { ...sees?.args, ...asks && { actors: JSON.stringify(query.actors) } },
  };
}

function stateQueries(room: string, state: StateQuery): Record<string, Query> {
  if (state === "all") {
    return { state: selectValues(VALUES, { room }), agentIds: { sql: AGENT_IDS_ALL, args: { room } } };
  }
  const queries: Record<string, Query> = {};
  const { scopes, keys } = stateArgs(state);
  if (state.scopes.length > 0) {
    queries.scopes = selectValues(`${VALUES} AND ${OF_SCOPES}`, { room, scopes });
  }
  if (state.keys.length > MAX_LOOKED_UP) {
    const args = { room, keys, scopes: JSON.stringify(state.keys.map(({ scope }) => scope)) };
    queries.keys = selectValues(`${VALUES} AND ${OF_SCOPES} AND ${OF_KEYS}`, args);
  } else if (state.keys.length > FEW_LOOKED_UP) {
    queries.keys = { sql: STATE_KEYS, args: { room, keys }, weight: KEY_WEIGHT * state.keys.length };
  }
  const agents = scopesOfAgents(state);
  if (agents.length > 0) {
    queries.agentIds = { sql: AGENT_IDS_SOME, args: { room, agents: JSON.stringify(agents) } };
  }
  return queries;
}

function agentQueries(room: string, agents: SnapshotQuery["agents"]): Record<string, Query> {
  if (agents === "all") return { agents: selectAgents(room), waits: newestTwoWaits(room) };
  if (agents.length <= 1) return {};
  return { agents: namedAgents(room, agents), waits: newestTwoWaits(room) };
}

/** Selects named agents; few of them without a page, so that many such reads share a batch. */
function namedAgents(room: string, agents: readonly string[]): Query {
  if (agents.length > MAX_LOOKED_UP) return selectAgents(room, [...agents]);
  const args = { room, agents: JSON.stringify(agents) };
  return { sql: NAMED_AGENTS, args, weight: AGENT_WEIGHT * agents.length };
}
