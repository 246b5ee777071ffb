import { toSecured } from "../access/acts.ts";
import { foundGuarded } from "../access/guarded.ts";
import { foundSeeing } from "../access/private.ts";
import { AGENT, type Agent } from "../agents/agent.ts";
import { marksOf, toWait, WAIT_CELLS, type WaitInProgress } from "../agents/waits.ts";
import { rowsOfCells } from "../consistent_read/listing.ts";
import { type Query, readConsistent } from "../consistent_read/read.ts";
import type { Database } from "../database.ts";
import { lengthOf, type Row } from "../driver/statement.ts";
import { Refusal, served } from "../refusal.ts";
import { eyesOf } from "../state/entry.ts";
import type { Viewer } from "../viewer.ts";
import { mapYielding } from "../yield.ts";
import { type Hidden, mayReadHidden, toHidden } from "./hidden.ts";
import { type MessageFacts, selectFacts, toFacts } from "./message_facts.ts";
import { readRoomRow, selectRoomRow } from "./room_row.ts";
import { snapshotQueries, type SnapshotQuery } from "./snapshot_sql.ts";
import { type EntryValue, VALUE_CELLS, valuesOf } from "./values.ts";

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
  extra: Row[][];
  /** The length of all that was read beside the room's row. */
  size: number;
}

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
  const { row, ofViewer, others } = snapshotQueries(viewer, room, query);
  const facts = selectFacts(room, query.facts);
  const names = Object.keys(others);
  const beside = [...Object.values(others), ...facts, ...extra];
  const isAlone = beside.length + Object.keys(ofViewer.columns).length === 0;
  const [rooms, ...results] = isAlone
    ? [await readRoomRow(database, viewer, room, row)]
    : await readConsistent(database, viewer, [selectRoomRow(room, row, ofViewer), ...beside]);
  const [found] = rooms!;
  if (found === undefined) throw new Refusal("room_not_found", {});
  const lacksSecured = found.guarded && query.actors.length > 0 && found.secured === undefined;
  if (found.sees) foundSeeing(viewer);
  if (lacksSecured) foundGuarded(room);
  if (found.sees || lacksSecured) return await loadSnapshot(database, viewer, room, query, extra);
  const size = lengthOf(results);
  const rows = Object.fromEntries(names.map((name) => [name, results.shift()!]));
  const factRows = results.splice(0, facts.length);
  return {
    ...await toSnapshot(found, rows),
    hidden: mayReadHidden(viewer, query.eyes),
    facts: await toFacts(query.facts, factRows),
    extra: results,
    size,
  };
}

async function toSnapshot(
  found: Row,
  rows: Record<string, Row[]>,
): Promise<Omit<Snapshot, "facts" | "extra" | "hidden" | "size">> {
  const named = rowsOfCells(AGENT, found.agent);
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
      ...rowsOfCells(VALUE_CELLS, found.looked_up),
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
      rows.agents ?? named,
      ({ marks: _, ...row }) =>
        ({
          ...row,
          joined: Number(row.joined),
          meta: JSON.parse(row.meta as string),
          secure: Boolean(row.secure),
        }) as unknown as AgentRow,
    ),
    waits: rows.agents && !rows.waits
      ? marksOf(rows.agents)
      : (rows.waits ?? rowsOfCells(WAIT_CELLS, found.waits)).map(toWait),
    agentIds: (rows.agentIds ?? []).map((row) => row.id as string),
  };
}
