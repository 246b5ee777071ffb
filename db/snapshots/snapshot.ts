import type { Database } from "../database.ts";
import { type Agent, selectAgents } from "../agents.ts";
import { NOW } from "../clock.ts";
import { DUE } from "../write/due.ts";
import { type ReadSet, stateArgs } from "../write/read_set.ts";
import type { Json } from "../json.ts";
import { type FactsQuery, type MessageFacts, selectFacts, toFacts } from "./message_facts.ts";
import type { Listing } from "../consistent_read/listing.ts";
import { LIVE, LIVING, selectLiving } from "../state/living.ts";
import { newestTwoWaitsOf, toWait, type WaitInProgress } from "../presence.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { VIEW_SCOPE } from "../state/entry.ts";
import { type Row, type Statement, weightOf } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { mapYielding } from "../yield.ts";
import { type Query, readConsistent } from "../consistent_read/read.ts";

/** What to load of a room. */
interface SnapshotQuery extends ReadSet {
  facts: FactsQuery;
  /** Whether to load the definitions of all views. */
  views: boolean;
}

interface RoomRevisions {
  revision: number;
  state: number;
  views: number;
  agents: number;
  messages: number;
}

/** `joined`: the revision at which it registered. */
export type AgentRow = Omit<Agent, "room_id" | "waiting_on" | "alive"> & { joined: number };

/** The loaded parts of a room at one revision. */
export interface Snapshot {
  /** The database's time at that revision. */
  now: Date;
  createdAt: string;
  /** Whether it shows something past its end, since the database takes no writes (`readCurrent`). */
  overdue: boolean;
  /** Whether some in it are secure, or it has tokens. */
  guarded: boolean;
  revisions: RoomRevisions;
  counts: { count: number; unclaimed: number };
  facts: MessageFacts;
  /** Values of plain keys, without the views. */
  entries: Array<{ scope: string; key: string; value: Json }>;
  /** Expressions of the views by name; empty unless asked for. */
  views: Map<string, string>;
  agents: AgentRow[];
  /** The two newest waits in progress of each requested agent, oldest first. */
  waits: WaitInProgress[];
  /** The registered agents among the requested scopes, or all agents. */
  agentIds: string[];
  /** The rows of the `extra` queries. */
  extra: Row[][];
}

const selectRoom = (further = "") => `
  SELECT created_at, ${REVISION} AS revision, state_revision, views_revision, agents_revision, messages_revision,
         message_count, unclaimed_count, ${NOW} AS now, ${DUE}${further}
    FROM rooms WHERE id = :room`;

const VALUES = `WHERE room_id = :room AND scope <> '${VIEW_SCOPE}'`;
const OF_SCOPES = `scope IN (SELECT value FROM json_each(:scopes))`;

// Finds many keys by going through their scopes in order, so that each page begins where the last one ended.
const OF_KEYS = `(+scope, +key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:keys))`;

const LOOKED_UP = `
  FROM json_each(:keys) AS wanted
  CROSS JOIN state
    ON state.room_id = :room AND state.scope = wanted.value ->> 0 AND state.key = wanted.value ->> 1
 WHERE NOT deleted AND expr IS NULL`;
const STATE_KEYS = `SELECT state.scope, state.key, state.value ${LOOKED_UP}`;

const ROOM = selectRoom();
// A server prepares this in two thirds of the time that the same for several keys takes.
const ROOM_WITH_KEY = selectRoom(`,
  (SELECT json_array(json_array(scope, key, value)) FROM state
    WHERE room_id = :room AND scope = :scope AND key = :key AND NOT deleted AND expr IS NULL) AS looked_up`);
const ROOM_WITH_KEYS = selectRoom(`,
  (SELECT json_group_array(json_array(state.scope, state.key, state.value)) ${LOOKED_UP}) AS looked_up`);

const VIEWS = `${
  selectLiving("key, expr", `WHERE room_id = :room AND scope = '${VIEW_SCOPE}'`)
} ORDER BY key`;

const AGENT_IDS_ALL = `SELECT id FROM agents WHERE room_id = :room ORDER BY joined`;
const AGENT_IDS_SOME = `
  SELECT id FROM agents WHERE room_id = :room AND id IN (SELECT value FROM json_each(:agents)) ORDER BY joined`;

/** The weight of a looked-up key: few values are half as long as allowed. */
const KEY_WEIGHT = 4;
/** Keys that are looked up one by one, since their values surely fit into one answer. */
const MAX_LOOKED_UP = 50;
/** Keys that come in the room's row: one statement needs no transaction, which takes a server a tenth less time. */
const FEW_LOOKED_UP = 8;

/** 64 views of 4,096 characters, which rooms older than the limit of bytes may have. */
const VIEWS_WEIGHT = weightOf(2 ** 18);

/**
 * Loads what `query` names of a room, in one round trip unless it is large. `extra` queries see the same revision.
 * Errors: `room_not_found`, `DatabaseUnavailable`.
 */
export async function loadSnapshot(
  database: Database,
  viewer: Viewer,
  room: string,
  query: SnapshotQuery,
  extra: Query[] = [],
): Promise<Snapshot> {
  const queries = snapshotQueries(room, query);
  const facts = selectFacts(room, query.facts);
  const results = await readConsistent(database, viewer, [...Object.values(queries), ...facts, ...extra]);
  const rows = Object.fromEntries(Object.keys(queries).map((name) => [name, results.shift()!]));
  const factRows = results.splice(0, facts.length);
  return { ...await toSnapshot(rows), facts: await toFacts(query.facts, factRows), extra: results };
}

function snapshotQueries(room: string, query: SnapshotQuery): Record<string, Query> {
  const queries: Record<string, Query> = { room: { sql: ROOM, args: { room }, single: true } };
  if (query.state === "all") {
    queries.state = selectValues(VALUES, { room });
    queries.agentIds = { sql: AGENT_IDS_ALL, args: { room } };
  } else {
    const wanted = [...new Set([...query.state.scopes, ...query.state.keys.map(({ scope }) => scope)])];
    const agentScopes = wanted.filter((scope) => !scope.startsWith("_"));
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
      const [sql, args] = query.state.keys.length > 1
        ? [ROOM_WITH_KEYS, { room, keys }]
        : [ROOM_WITH_KEY, { room, ...query.state.keys[0]! }];
      queries.room = { sql, args, single: true, weight: 1 + KEY_WEIGHT * query.state.keys.length };
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
  return queries;
}

function selectValues(where: string, args: Statement["args"]): Listing {
  const order = ["scope", "key"];
  return { table: "state", columns: [...order, "value"], where, live: LIVE, parts: LIVING, args, order };
}

async function toSnapshot(rows: Record<string, Row[]>): Promise<Omit<Snapshot, "facts" | "extra">> {
  const [found] = rows.room!;
  if (found === undefined) throw new Refusal("room_not_found", {});
  const lookedUp = (JSON.parse(found.looked_up as string ?? "[]") as string[][])
    .map(([scope, key, value]) => ({ scope, key, value }));
  return {
    now: new Date(Number(found.now)),
    createdAt: found.created_at as string,
    overdue: found.due !== null,
    guarded: Boolean(found.guarded),
    revisions: {
      revision: served(found.revision),
      state: Number(found.state_revision),
      views: Number(found.views_revision),
      agents: Number(found.agents_revision),
      messages: Number(found.messages_revision),
    },
    counts: { count: Number(found.message_count), unclaimed: Number(found.unclaimed_count) },
    entries: await mapYielding(
      [...lookedUp, ...rows.state ?? [], ...rows.scopes ?? [], ...rows.keys ?? []],
      (row) => ({
        scope: row.scope as string,
        key: row.key as string,
        value: JSON.parse(row.value as string),
      }),
    ),
    views: new Map((rows.views ?? []).map((row) => [row.key as string, row.expr as string])),
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
