import { SHORT_PAGE_BYTES, SHORT_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import { edgeOf } from "../consistent_read/page_sql.ts";
import { readInLanes } from "../consistent_read/lanes.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { type Json, stored } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import type { Viewer } from "../viewer.ts";
import { readCurrent } from "../write/current.ts";
import { mapYielding } from "../yield.ts";

/** A claim of a message, and how it ended. Times are ISO 8601. */
export interface Attempt {
  /** The revision at which it began. */
  fence: number;
  agent: string;
  claimed_at: string;
  /** Null while it is held, as is `ended`. */
  ended_at: string | null;
  ended: "completed" | "released" | "failed" | "expired" | null;
  /** What the agent gave as the reason; null without one. */
  error: Json;
}

const EXISTS = `SELECT 1 FROM messages WHERE room_id = :room AND id = :message`;

/** The maximum of listed claims: a message may be claimed any number of times, each with an error of 4 KiB. */
export const MAX_LISTED = 1_000;

const OF_MESSAGE = `FROM attempts WHERE room_id = :room AND message_id = :message`;

/** Selects the last claim that is too old to be listed; none where all are. */
const TOO_OLD = `SELECT fence ${OF_MESSAGE} ORDER BY fence DESC LIMIT 1 OFFSET ${MAX_LISTED}`;

const AFTER = `${OF_MESSAGE} AND fence > COALESCE(:after, (${TOO_OLD}), 0) ORDER BY fence`;

/** Bytes that an attempt costs besides its error. */
const ATTEMPT_BYTES = 256;

const LIST = `
  WITH edge (position) AS MATERIALIZED (${
  edgeOf(`SELECT IFNULL(octet_length(error), 0) + ${ATTEMPT_BYTES} AS size ${AFTER}`)
})
  SELECT fence, agent_id AS agent, claimed_at, ended_at, ended, error, (SELECT position FROM edge) AS edge ${AFTER}
   LIMIT IFNULL((SELECT position FROM edge), -1)`;

/**
 * Lists the latest claims of a message, oldest first. Only the last one may change, so the pages together are the list as
 * of the last page. Errors: `room_not_found`, `unauthenticated`, `message_not_found`, `unavailable`.
 */
export async function listAttempts(
  database: Database,
  viewer: Viewer,
  room: string,
  message: number,
): Promise<{ attempts: Attempt[]; revision: number }> {
  const attempts: Attempt[] = [];
  let revision = 0;

  /** Reads the next page, and returns whether it has all that was left. */
  async function next(): Promise<boolean> {
    const args = { room, message, after: attempts.at(-1)?.fence ?? null, bytes: SHORT_PAGE_BYTES };
    const [rooms, messages, rows] = await readCurrent(database, viewer, [
      { sql: ROOM_CURRENT, args: { room } },
      { sql: EXISTS, args: { room, message } },
      { sql: LIST, args, weight: SHORT_PAGE_WEIGHT },
    ]);
    revision = revisionOf(rooms!);
    if (messages!.length === 0) throw new Refusal("message_not_found", { message }, revision);
    attempts.push(...await mapYielding(rows!, toAttempt));
    return rows!.length === 0 || rows![0]!.edge === null;
  }

  // All that is listed, 4 MiB of errors, belongs to the first lane.
  if (!await next()) await readInLanes(database, room, next, () => 0);
  return { attempts: attempts.slice(-MAX_LISTED), revision };
}

function toAttempt({ edge: _, ...row }: Row): Attempt {
  return { ...row, error: row.error === null ? null : stored(row.error as string) } as unknown as Attempt;
}
