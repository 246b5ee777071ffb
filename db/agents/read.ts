import { privateFor } from "../access/private.ts";
import { NOW } from "../clock.ts";
import { readConsistent } from "../consistent_read/read.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { stored } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { currentWith, revisionOf } from "../rooms/room.ts";
import type { Viewer } from "../viewer.ts";
import { readCurrent } from "../write/current.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "../yield.ts";
import { type Agent, OF_AGENT, selectAgents, toAgent, withPrivate } from "./agent.ts";
import { marksOf, newestOf, newestWaitOf, toNewest, withMarks } from "./waits.ts";

/** Selects the room's row, with the time at which agents are judged to be alive. */
const ROOM_NOW = currentWith(`${NOW} AS now`);

/** Lists all agents in order of joining. Errors: `room_not_found`, `unauthenticated`. */
export async function listAgents(
  database: Database,
  viewer: Viewer,
  room: string,
): Promise<{ agents: Agent[]; revision: number }> {
  const [rooms, rows] = await readConsistent(database, viewer, [
    { sql: ROOM_NOW, args: { room } },
    withMarks(withPrivate(selectAgents(room), viewer), "newest"),
  ]);
  const [revision, newest, now] = [revisionOf(rooms!), newestOf(marksOf(rows!)), nowOf(rooms!)];
  return { agents: await mapYielding(rows!, (row) => toAgent(row, newest, now, stored)), revision };
}

/** Gets one agent. Errors: `room_not_found`, `unauthenticated`, `agent_not_found`. */
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
    newestWaitOf(room, agent),
  ]);
  const revision = revisionOf(rooms!);
  if (rows!.length === 0) throw new Refusal("agent_not_found", { agent }, revision);
  if (isBusyFor(rows![0]!.meta)) await yieldToOthers();
  return { agent: toAgent(rows![0]!, toNewest(waits!), nowOf(rooms!)), revision };
}

function nowOf([room]: Row[]): Date {
  return new Date(Number(room!.now));
}
