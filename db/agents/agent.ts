import { shownRoom } from "../access/locked.ts";
import { privateFor } from "../access/private.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import { DUE } from "../write/due.ts";
import { readCurrent } from "../write/endings.ts";
import { type Json, stored } from "../json.ts";
import type { Listing } from "../consistent_read/listing.ts";
import { Refusal } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { isAlive, type Newest, newestWaitsOf, present, type Status, toNewest } from "./presence.ts";
import type { Row } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "../yield.ts";
import { readConsistent } from "../consistent_read/read.ts";
import { ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { heartbeatOf } from "../write/heartbeat.ts";
import { commit } from "../write/write.ts";

export interface Agent {
  id: string;
  room_id: string;
  name: string;
  role: string;
  meta: Json;
  status: Status;
  waiting_on: string | null;
  joined_at: string;
  last_heartbeat: string;
  /** Whether it had a heartbeat in the last 60 seconds or has a wait in progress, when this was read. */
  alive: boolean;
  /** True if only its token can act as it. */
  secure: boolean;
  /** True if the scope of its name is private: shown to itself and to admins only. */
  private?: boolean;
}

const OTHER_STATUS =
  "EXISTS (SELECT 1 FROM agents WHERE room_id = :room AND id = :agent AND status <> :status)";

const SET_STATUS = `
  UPDATE agents SET status = :status, revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND id = :agent AND ${ADMITTED}`;

/** The room's row, with the time by which its agents are alive. */
const ROOM_NOW = `SELECT ${REVISION} AS revision, ${DUE}, ${NOW} AS now FROM rooms WHERE id = :room`;

const OF_ROOM = "WHERE room_id = :room";
export const OF_AGENT = "FROM agents WHERE room_id = :room AND id = :agent";
export const GET = `SELECT * ${OF_AGENT}`;

/** The columns that `toAgent` reads. `joined` tells whether an agent is new. */
export const AGENT = [
  ...["id", "room_id", "name", "role", "meta", "status", "joined", "joined_at", "last_heartbeat", "secure"],
];

/** Records a heartbeat. Only a new status advances the room's revision. Errors: `room_not_found`, `agent_not_found`. */
export function heartbeat(
  database: Database,
  room: string,
  agent: string,
  status: Status,
): Operation<{ heartbeat: string; revision: number }> {
  return {
    acts: { as: agent },
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const { outcome } = await commit(database, context, {
        room,
        part: "agents",
        nonce,
        now,
        admission: { where: [OTHER_STATUS], args: { agent, status } },
        effects: [
          { sql: SET_STATUS, args: { room, nonce, agent, status } },
          { ...heartbeatOf(room, agent, now, context)[0]!, answer: { columns: ["id"], query: GET } },
        ],
        reads: [{ sql: ROOM_CURRENT, args: { room }, answer: { columns: ["revision"] } }],
        granted: { sql: `EXISTS (${GET})`, args: { room, agent } },
      });
      const [beats, rooms] = outcome.rows;
      const revision = revisionOf(rooms!);
      if (beats!.length === 0) throw new Refusal("agent_not_found", { agent }, revision);
      return outcome;
    },
    answer: ({ now, rows: [, rooms] }) => ({ heartbeat: now.toISOString(), revision: revisionOf(rooms!) }),
  };
}

/** Lists all agents in order of joining. Errors: `room_not_found`. */
export async function listAgents(
  database: Database,
  viewer: Viewer,
  room: string,
): Promise<{ agents: Agent[]; revision: number }> {
  const [rooms, rows, waits] = await readConsistent(database, viewer, [
    { sql: ROOM_NOW, args: { room } },
    withPrivate(selectAgents(room), viewer),
    newestWaitsOf(room, null),
  ]);
  const [revision, newest, now] = [revisionOf(rooms!), toNewest(waits!), nowOf(rooms!)];
  return { agents: await mapYielding(rows!, (row) => toAgent(row, newest, now, stored)), revision };
}

/** Selects all agents, or the named ones, in order of joining, as rows for `toAgent`. */
export function selectAgents(room: string, agents?: string[]): Listing {
  const listing = { table: "agents" as const, columns: AGENT, order: ["joined"] };
  if (agents === undefined) return { ...listing, where: OF_ROOM, args: { room } };
  const where = `${OF_ROOM} AND id IN (SELECT value FROM json_each(:agents))`;
  return { ...listing, where, args: { room, agents: JSON.stringify(agents) } };
}

/** Adds to a listing of agents what the viewer may know of their scopes. */
export function withPrivate(listing: Listing, viewer: Viewer): Listing {
  const shown = privateFor(viewer, "agents.id");
  if (shown === undefined) return listing;
  const columns = [...listing.columns, "private"];
  return { ...listing, columns, values: { private: shown.sql }, args: { ...listing.args, ...shown.args } };
}

/** Gets one agent. Errors: `room_not_found`, `agent_not_found`. */
export async function getAgent(
  database: Database,
  viewer: Viewer,
  room: string,
  agent: string,
): Promise<{ agent: Agent; revision: number }> {
  const shown = privateFor(viewer, "agents.id");
  const [rooms, rows, waits] = await readCurrent(database, viewer, [
    { sql: ROOM_NOW, args: { room } },
    {
      sql: `SELECT *${shown ? `, ${shown.sql} AS private` : ""} ${OF_AGENT}`,
      args: { room, agent, ...shown?.args },
    },
    newestWaitsOf(room, agent),
  ]);
  const revision = revisionOf(rooms!);
  if (rows!.length === 0) throw new Refusal("agent_not_found", { agent }, revision);
  if (isBusyFor(rows![0]!.meta)) await yieldToOthers();
  return { agent: toAgent(rows![0]!, toNewest(waits!), nowOf(rooms!)), revision };
}

function nowOf([room]: Row[]): Date {
  return new Date(Number(room!.now));
}

/** Makes an agent of its row and the room's newest waits in progress, as it is at the database's time `now`. */
export function toAgent(
  row: Row,
  newest: Newest,
  now: Date,
  read: (json: string) => Json = JSON.parse,
): Agent {
  const [id, last_heartbeat] = [row.id as string, row.last_heartbeat as string];
  return {
    id,
    room_id: shownRoom(row.room_id as string),
    name: row.name as string,
    role: row.role as string,
    meta: read(row.meta as string),
    ...present(id, row.status as Status, newest),
    joined_at: row.joined_at as string,
    last_heartbeat,
    alive: isAlive(id, last_heartbeat, newest, now),
    secure: Boolean(row.secure),
    ...(row.private ?? null) === null ? {} : { private: Boolean(row.private) },
  };
}
