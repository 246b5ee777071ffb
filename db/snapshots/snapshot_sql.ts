import { SECURED } from "../access/acts.ts";
import { isKnownGuarded } from "../access/guarded.ts";
import { AGENT, OF_AGENT, selectAgents } from "../agents/agent.ts";
import { newestTwoWaitsOf } from "../agents/waits.ts";
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
import { KEY_WEIGHT, MAX_LOOKED_UP, OF_KEYS, OF_SCOPES, selectValues } from "./values.ts";

export interface SnapshotQuery extends ReadSet {
  facts: FactsQuery;
  /** The agents whose eyes are used besides the viewer's. */
  eyes: readonly string[];
  views: boolean;
  /** The agents of which it matters to a guarded room whether they are secure. */
  actors: readonly string[];
}

const selectRoom = (further: string[] = []) => `
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
  (SELECT json_array(json_array(scope, key, value)) FROM state
    WHERE room_id = :room AND scope = :scope AND key = :key AND NOT deleted AND expr IS NULL) AS looked_up`;
const WITH_KEYS = `
  (SELECT json_group_array(json_array(state.scope, state.key, state.value)) ${LOOKED_UP}) AS looked_up`;

const COLUMNS = { alone: [], withKey: [WITH_KEY], withKeys: [WITH_KEYS] };
const ROOMS = {
  alone: selectRoom(),
  withKey: selectRoom(COLUMNS.withKey),
  withKeys: selectRoom(COLUMNS.withKeys),
};

const VIEWS = `${
  selectLiving("key, expr, eyes", `WHERE room_id = :room AND scope = '${VIEW_SCOPE}'`)
} ORDER BY key`;

const AGENT_IDS_ALL = `SELECT id FROM agents WHERE room_id = :room ORDER BY joined`;
const AGENT_IDS_SOME = `
  SELECT id FROM agents WHERE room_id = :room AND id IN (SELECT value FROM json_each(:agents)) ORDER BY joined`;

const NAMED_AGENT = `SELECT ${AGENT} ${OF_AGENT}`;
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

/** Selects the room's row, with a few keys that are looked up. */
function roomQuery(viewer: Viewer, room: string, query: SnapshotQuery): Statement {
  const further = furtherColumns(viewer, room, query);
  const roomWith = (column: keyof typeof ROOMS, args: Statement["args"], weight?: number): Statement => ({
    sql: further.sql.length > 0 ? selectRoom([...COLUMNS[column], ...further.sql]) : ROOMS[column],
    args: { room, ...args, ...further.args },
    single: true,
    weight,
  });
  const keys = query.state === "all" ? [] : query.state.keys;
  if (keys.length === 0 || keys.length > FEW_LOOKED_UP) return roomWith("alone", {});
  const weight = 1 + KEY_WEIGHT * keys.length;
  if (keys.length === 1) return roomWith("withKey", { ...keys[0]! }, weight);
  return roomWith("withKeys", { keys: stateArgs({ scopes: [], keys }).keys }, weight);
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
  if (agents === "all") return { agents: selectAgents(room), waits: newestTwoWaitsOf(room, null) };
  if (agents.length === 0) return {};
  const waits = newestTwoWaitsOf(room, agents.length === 1 ? agents[0]! : null);
  return {
    agents: agents.length > MAX_LOOKED_UP ? selectAgents(room, agents) : namedAgents(room, agents),
    waits,
  };
}

/** Selects few agents without a page: nearly every wait reads its own, and many such reads share a batch. */
function namedAgents(room: string, agents: readonly string[]): Statement {
  const weight = AGENT_WEIGHT * agents.length;
  if (agents.length === 1) {
    return { sql: NAMED_AGENT, args: { room, agent: agents[0]! }, single: true, weight };
  }
  return { sql: NAMED_AGENTS, args: { room, agents: JSON.stringify(agents) }, weight };
}

/** Makes the columns that tell of the viewer: whether it sees more than is read, and as whom it may not act. */
function furtherColumns(
  viewer: Viewer,
  room: string,
  query: SnapshotQuery,
): { sql: string[]; args: Statement["args"] } {
  const sees = mayLackHidden(viewer, query);
  const asks = query.actors.length > 0 && (viewer.token !== undefined || isKnownGuarded(room));
  return {
    sql: [...sees ? [`${sees.sql} AS sees`] : [], ...asks ? [SECURED] : []],
    args: { ...sees?.args, ...asks && { actors: JSON.stringify(query.actors) } },
  };
}
