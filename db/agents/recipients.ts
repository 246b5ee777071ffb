import { NOW } from "../clock.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { isRecent } from "../write/heartbeat.ts";
import type { Status } from "./presence.ts";

const RECIPIENTS = `
  SELECT asked.key AS n, status, last_heartbeat, waiting_on,
         waiting_on IS NOT NULL OR ${isRecent("last_heartbeat")} AS alive
    FROM (
      SELECT asked.key, agents.status, agents.last_heartbeat, (
          SELECT waiting_on FROM waits
           WHERE waits.room_id = agents.room_id AND agent_id = agents.id AND +until > ${NOW}
           ORDER BY waits.revision DESC LIMIT 1) AS waiting_on
        FROM json_each(:asked) AS asked
        CROSS JOIN agents ON agents.room_id = asked.value ->> 0 AND agents.id = asked.value ->> 1) AS asked`;

/** The agent to which a message is addressed. Where it is not registered, all else is null. */
export interface Recipient {
  registered: boolean;
  alive: boolean | null;
  status: Status | null;
  waiting_on: string | null;
  last_heartbeat: string | null;
}

export const RECIPIENT = ["n", "status", "last_heartbeat", "waiting_on", "alive"];

/** Selects those of these agents that are registered, each with its index `n`, as rows for `toRecipient`. */
export function selectRecipients(asked: Array<[room: string, agent: string] | null>): Statement {
  return { sql: RECIPIENTS, args: { asked: JSON.stringify(asked) } };
}

/** Makes a recipient of its row; of none, one that is not registered. */
export function toRecipient(row: Row | undefined): Recipient {
  if (row === undefined) {
    return { registered: false, alive: null, status: null, waiting_on: null, last_heartbeat: null };
  }
  const waiting_on = row.waiting_on as string | null;
  return {
    registered: true,
    alive: Boolean(row.alive),
    status: waiting_on === null ? row.status as Status : "waiting",
    waiting_on,
    last_heartbeat: row.last_heartbeat as string,
  };
}
