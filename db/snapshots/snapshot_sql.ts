import { SECURED } from "../access/acts.ts";
import { isKnownGuarded } from "../access/guarded.ts";
import { AGENT, selectAgents } from "../agents/agent.ts";
import { newestTwoWaits, withMarks } from "../agents/waits.ts";
import { FIRST_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import type { Query } from "../consistent_read/read.ts";
import { weightOf } from "../driver/statement.ts";
import { VIEW_SCOPE } from "../state/entry.ts";
import { selectLiving } from "../consistent_read/living.ts";
import type { Viewer } from "../viewer.ts";
import { type ReadSet, scopesOfAgents, stateArgs } from "../write/read_set.ts";
import { hiddenQueries, mayLackHidden } from "./hidden.ts";
import type { FactsQuery } from "./message_facts.ts";
import { AGENT_WEIGHT, FEW_LOOKED_UP, type FurtherColumns, type RoomRow, roomRowOf } from "./room_row.ts";
import { KEY_WEIGHT, LOOKED_UP, MAX_LOOKED_UP, OF_KEYS, OF_SCOPES, selectValues } from "./values.ts";

export interface SnapshotQuery extends ReadSet {
  facts: FactsQuery;
  /** The agents whose eyes are used besides the viewer's. */
  eyes: readonly string[];
  views: boolean;
  /** The agents of which it matters to a guarded room whether they are secure. */
  actors: readonly string[];
}

const VALUES = `WHERE room_id = :room AND scope <> '${VIEW_SCOPE}'`;
const STATE_KEYS = `SELECT state.scope, state.key, state.value ${LOOKED_UP(":room", ":keys")}`;

const VIEWS = `${
  selectLiving("key, expr, eyes", `WHERE room_id = :room AND scope = '${VIEW_SCOPE}'`)
} ORDER BY key`;

const AGENT_IDS_ALL = `SELECT id FROM agents WHERE room_id = :room ORDER BY joined`;
// The plus keeps SQLite from passing all agents of the room in this order.
const NAMED = "WHERE room_id = :room AND id IN (SELECT value FROM json_each(:agents)) ORDER BY +joined";
const AGENT_IDS_SOME = `SELECT id FROM agents ${NAMED}`;
const NAMED_AGENTS = `SELECT ${AGENT} FROM agents ${NAMED}`;

/** The maximum number of agents that are read without a page: more weigh more than one, and bring as much. */
const FEW_AGENTS = FIRST_PAGE_WEIGHT / AGENT_WEIGHT;

/** The weight of 64 views of 4,096 characters, which rooms that are older than the limit of bytes may have. */
const VIEWS_WEIGHT = weightOf(2 ** 18);

type StateQuery = SnapshotQuery["state"];

/** What a snapshot reads: the row of its room, and further queries by name. */
interface SnapshotQueries {
  row: RoomRow;
  /** Further columns of that row, which tell of the viewer. */
  ofViewer: FurtherColumns;
  others: Record<string, Query>;
}

export function snapshotQueries(viewer: Viewer, room: string, query: SnapshotQuery): SnapshotQueries {
  return {
    row: roomRowOf(query),
    ofViewer: columnsOfViewer(viewer, room, query),
    others: {
      ...stateQueries(room, query.state),
      ...query.views && { views: { sql: VIEWS, args: { room }, weight: VIEWS_WEIGHT } },
      ...agentQueries(room, query.agents),
      ...hiddenQueries(viewer, room, query),
    },
  };
}

/** Weighs what a snapshot of a read set looks up by name, with the row of the room, and counts its lists. */
export function weightOfReads({ state, agents }: ReadSet): { named: number; lists: number } {
  const keys = state === "all" ? 0 : state.keys.length;
  const named = agents === "all" ? Infinity : agents.length;
  const ofKeys = keys > MAX_LOOKED_UP ? 0 : KEY_WEIGHT * keys;
  const ofAgents = named > MAX_LOOKED_UP ? 0 : Math.min(AGENT_WEIGHT * named, FIRST_PAGE_WEIGHT);
  const lists = [state === "all" || state.scopes.length > 0, keys > MAX_LOOKED_UP, named > MAX_LOOKED_UP];
  return { named: 1 + ofKeys + ofAgents, lists: lists.filter(Boolean).length };
}

/** Makes the columns that tell of the viewer: whether it sees more than is read, and as whom it may not act. */
function columnsOfViewer(viewer: Viewer, room: string, query: SnapshotQuery): FurtherColumns {
  const sees = mayLackHidden(viewer, query);
  const asks = query.actors.length > 0 && (viewer.token !== undefined || isKnownGuarded(room));
  return {
    columns: { ...sees && { sees: sees.sql }, ...asks && { secured: SECURED } },
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
  if (agents === "all") return { agents: withMarks(selectAgents(room), "newestTwo") };
  if (agents.length <= 1) return {};
  if (agents.length > FEW_AGENTS) return { agents: withMarks(selectAgents(room, [...agents]), "newestTwo") };
  // Few come without a page, which takes a server longer to prepare.
  const args = { room, agents: JSON.stringify(agents) };
  return {
    agents: { sql: NAMED_AGENTS, args, weight: AGENT_WEIGHT * agents.length },
    waits: newestTwoWaits(room, agents),
  };
}
