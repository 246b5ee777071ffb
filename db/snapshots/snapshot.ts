import { SECURED, toSecured } from "../access/acts.ts";
import { foundGuarded, isKnownGuarded } from "../access/guarded.ts";
import { foundSeeing, isOfAgent } from "../access/private.ts";
import type { Database } from "../database.ts";
import { type Agent, selectAgents } from "../agents/agent.ts";
import { NOW } from "../clock.ts";
import { DUE } from "../write/due.ts";
import { type ReadSet, stateArgs } from "../write/read_set.ts";
import { type FactsQuery, type MessageFacts, selectFacts, toFacts } from "./message_facts.ts";
import { type Hidden, hiddenQueries, mayLackHidden, mayReadHidden, toHidden } from "./hidden.ts";
import { selectLiving } from "../state/living.ts";
import { newestTwoWaitsOf, toWait, type WaitInProgress } from "../agents/waits.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { eyesOf, VIEW_SCOPE } from "../state/entry.ts";
import { type Row, type Statement, weightOf } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { mapYielding } from "../yield.ts";
import { type Query, readConsistent } from "../consistent_read/read.ts";
import {
  type EntryValue,
  KEY_WEIGHT,
  MAX_LOOKED_UP,
  OF_KEYS,
  OF_SCOPES,
  selectValues,
  valuesOf,
} from "./values.ts";

/** What to load of a room. */
interface SnapshotQuery extends ReadSet {
  facts: FactsQuery;
  /** The agents whose eyes are used beside the viewer's. */
  eyes: readonly string[];
  /** Whether to load the definitions of all views. */
  views: boolean;
  /** The agents of which it matters to a guarded room whether they are secure. */
  actors: readonly string[];
}

/** The expression of a view, and the agent with whose eyes it is evaluated. */
export interface ViewSource {
  source: string;
  eyes: string | null;
}

interface RoomRevisions {
  revision: number;
  state: number;
  private: number;
  views: number;
  agents: number;
  messages: number;
}

/** An agent as expressions see it. `joined`: the revision at which it registered. */
export type AgentRow = Omit<Agent, "room_id" | "waiting_on" | "alive"> & { joined: number };

/** The loaded parts of a room at one revision. */
export interface Snapshot extends Hidden {
  /** The database's time at that revision. */
  now: Date;
  createdAt: string;
  /** Whether it has something that is due and has not ended, since the database takes no writes (`readCurrent`). */
  overdue: boolean;
  /** Whether the room has tokens or secure agents. */
  guarded: boolean;
  /** Those of the requested actors that are secure, where it is guarded. */
  secured: string[];
  revisions: RoomRevisions;
  counts: { count: number; unclaimed: number };
  facts: MessageFacts;
  /** The values of keys, without views. */
  entries: EntryValue[];
  /** The views by name; empty unless asked for. */
  views: Map<string, ViewSource>;
  agents: AgentRow[];
  /** The two newest waits in progress of each requested agent, oldest first. */
  waits: WaitInProgress[];
  /** The registered agents among the requested scopes, or all agents. */
  agentIds: string[];
  /** The rows of the `extra` queries. */
  extra: Row[][];
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

/**
 * The maximum number of keys that come in the room's row: one statement needs no transaction, which takes a server a
 * tenth less time.
 */
const FEW_LOOKED_UP = 8;

/** The weight of 64 views of 4,096 characters, which rooms that are older than the limit of bytes may have. */
const VIEWS_WEIGHT = weightOf(2 ** 18);

/**
 * Loads what `query` names of a room, in one round trip unless that is much. `extra` queries see the same revision.
 * Errors: `room_not_found`, `unauthenticated`, `DatabaseUnavailable`.
 */
export async function loadSnapshot(
  database: Database,
  viewer: Viewer,
  room: string,
  query: SnapshotQuery,
  extra: Query[] = [],
): Promise<Snapshot> {
  const queries = snapshotQueries(viewer, room, query);
  const facts = selectFacts(room, query.facts);
  const results = await readConsistent(database, viewer, [...Object.values(queries), ...facts, ...extra]);
  const rows = Object.fromEntries(Object.keys(queries).map((name) => [name, results.shift()!]));
  const factRows = results.splice(0, facts.length);
  const [row] = rows.room!;
  const lacksSecured = row?.guarded && query.actors.length > 0 && row.secured === undefined;
  if (row?.sees) foundSeeing(viewer);
  if (lacksSecured) foundGuarded(room);
  if (row?.sees || lacksSecured) return await loadSnapshot(database, viewer, room, query, extra);
  return {
    ...await toSnapshot(rows),
    hidden: mayReadHidden(viewer, query.eyes),
    facts: await toFacts(query.facts, factRows),
    extra: results,
  };
}

function snapshotQueries(viewer: Viewer, room: string, query: SnapshotQuery): Record<string, Query> {
  const hidden = hiddenQueries(viewer, room, query);
  const further = furtherColumns(viewer, room, query);
  const roomWith = (column: keyof typeof ROOMS, args: Statement["args"], weight?: number): Statement => ({
    sql: further.sql.length > 0 ? selectRoom([...COLUMNS[column], ...further.sql]) : ROOMS[column],
    args: { room, ...args, ...further.args },
    single: true,
    weight,
  });
  const queries: Record<string, Query> = { room: roomWith("alone", {}) };
  if (query.state === "all") {
    queries.state = selectValues(VALUES, { room });
    queries.agentIds = { sql: AGENT_IDS_ALL, args: { room } };
  } else {
    const wanted = [...new Set([...query.state.scopes, ...query.state.keys.map(({ scope }) => scope)])];
    const agentScopes = wanted.filter(isOfAgent);
    const { scopes, keys } = stateArgs(query.state);
    if (query.state.scopes.length > 0) {
      queries.scopes = selectValues(`${VALUES} AND ${OF_SCOPES}`, { room, scopes });
    }
    if (query.state.keys.length > MAX_LOOKED_UP) {
      const args = { room, keys, scopes: JSON.stringify(query.state.keys.map(({ scope }) => scope)) };
      queries.keys = selectValues(`${VALUES} AND ${OF_SCOPES} AND ${OF_KEYS}`, args);
    } else if (query.state.keys.length > FEW_LOOKED_UP) {
      queries.keys = { sql: STATE_KEYS, args: { room, keys }, weight: KEY_WEIGHT * query.state.keys.length };
    } else if (query.state.keys.length > 0) {
      const weight = 1 + KEY_WEIGHT * query.state.keys.length;
      queries.room = query.state.keys.length > 1
        ? roomWith("withKeys", { keys }, weight)
        : roomWith("withKey", { ...query.state.keys[0]! }, weight);
    }
    if (agentScopes.length > 0) {
      queries.agentIds = { sql: AGENT_IDS_SOME, args: { room, agents: JSON.stringify(agentScopes) } };
    }
  }
  if (query.views) queries.views = { sql: VIEWS, args: { room }, weight: VIEWS_WEIGHT };
  if (query.agents === "all") {
    queries.agents = selectAgents(room);
    queries.waits = newestTwoWaitsOf(room, null);
  } else if (query.agents.length > 0) {
    queries.agents = selectAgents(room, query.agents);
    queries.waits = newestTwoWaitsOf(room, query.agents.length === 1 ? query.agents[0]! : null);
  }
  return { ...queries, ...hidden };
}

/** What the room's row tells of the viewer: whether it sees more than is read, and as whom it may not act. */
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

async function toSnapshot(
  rows: Record<string, Row[]>,
): Promise<Omit<Snapshot, "facts" | "extra" | "hidden">> {
  const [found] = rows.room!;
  if (found === undefined) throw new Refusal("room_not_found", {});
  const lookedUp = (JSON.parse(found.looked_up as string ?? "[]") as string[][])
    .map(([scope, key, value]) => ({ scope, key, value }));
  return {
    now: new Date(Number(found.now)),
    createdAt: found.created_at as string,
    overdue: found.due !== null,
    guarded: Boolean(found.guarded),
    secured: found.secured === undefined ? [] : toSecured(found),
    revisions: {
      revision: served(found.revision),
      state: Number(found.state_revision),
      private: Number(found.private_revision),
      views: Number(found.views_revision),
      agents: Number(found.agents_revision),
      messages: Number(found.messages_revision),
    },
    counts: { count: Number(found.message_count), unclaimed: Number(found.unclaimed_count) },
    entries: await valuesOf([
      ...lookedUp,
      ...rows.state ?? [],
      ...rows.scopes ?? [],
      ...rows.keys ?? [],
    ]),
    ...await toHidden(rows),
    views: new Map((rows.views ?? []).map((row) => [
      row.key as string,
      { source: row.expr as string, eyes: eyesOf(row) },
    ])),
    agents: await mapYielding(
      rows.agents ?? [],
      (row) =>
        ({
          ...row,
          joined: Number(row.joined),
          meta: JSON.parse(row.meta as string),
          secure: Boolean(row.secure),
        }) as unknown as AgentRow,
    ),
    waits: (rows.waits ?? []).map(toWait),
    agentIds: (rows.agentIds ?? []).map((row) => row.id as string),
  };
}
