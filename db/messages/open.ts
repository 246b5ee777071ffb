import { UNCLAIMED } from "../consistent_read/changed.ts";
import { createConditions } from "../consistent_read/conditions.ts";
import { PAGE_BYTES, rowsOfPage } from "../consistent_read/listing.ts";
import { selectPage } from "../consistent_read/page_sql.ts";
import { type Row, type Statement, statementOf, type Value } from "../driver/statement.ts";
import { mapYielding } from "../yield.ts";
import { listingOf } from "./listing.ts";
import { type Message, toMessage } from "./message.ts";

/** The kinds that are no tasks, which are taken only by name. The indexes of db/driver/release_2.ts name the same. */
const TALK = ["message", "result", "ask"];
const NO_TASK = `(${TALK.map((kind) => `'${kind}'`).join(", ")})`;

export function isTask(kind: string): boolean {
  return !TALK.includes(kind);
}

/** The maximum number of messages that a search passes where no index serves its filter. */
export const MAX_PASSED = 1_000;

/** The filter of a take, which claims the oldest open message that fits. */
export interface Wanted {
  room: string;
  agent: string;
  /** Seconds until the claim ends. */
  ttl: number;
  /** By default any kind of task. */
  kind?: string;
  /** The sender. */
  from?: string;
  /** The recipient; by default nobody or the agent. */
  to?: string;
  /** The id that the message's must exceed. */
  after?: number;
}

/** Selects the open messages to nobody, or to one recipient, by id. `somebody`: the recipient, in SQL. */
function addressed(
  to: "nobody" | "somebody",
  { kind, after }: Wanted,
  columns: string,
  limit: number,
  somebody = ":to",
): string {
  const where = [
    `room_id = :room AND ${UNCLAIMED}`,
    to === "nobody" ? "to_agent IS NULL" : `to_agent IS NOT NULL AND to_agent = ${somebody}`,
    kind === undefined ? `kind NOT IN ${NO_TASK}` : "kind = :kind",
    ...(after === undefined ? [] : ["id > :after"]),
  ].join(" AND ");
  return `SELECT * FROM (SELECT ${columns} FROM messages WHERE ${where} ORDER BY id LIMIT ${limit})`;
}

/** Selects the open messages that an agent may take, from any sender. Nobody and somebody have an index each. */
function mayTake(wanted: Wanted, columns: string, limit: number): string {
  const some = addressed("somebody", wanted, columns, limit);
  return wanted.to === undefined ? `${addressed("nobody", wanted, columns, limit)} UNION ALL ${some}` : some;
}

/** Selects, by id, the messages that a search for a sender passes, since no index serves it. */
export function passed(wanted: Wanted, columns: string, limit = MAX_PASSED): string {
  return `SELECT ${columns} FROM (${mayTake(wanted, columns, limit)}) ORDER BY id LIMIT ${limit}`;
}

/** Selects the id of the oldest message that fits, null where there is none. */
export function oldest(wanted: Wanted): string {
  if (wanted.from === undefined) return `SELECT MIN(id) FROM (${mayTake(wanted, "id", 1)})`;
  return `SELECT MIN(id) FROM (${passed(wanted, "id, from_agent")}) WHERE from_agent = :from`;
}

export function argsOfWanted(
  { room, agent, kind, from, to = agent, after }: Wanted,
): Record<string, Value> {
  return { room, kind: kind ?? null, from: from ?? null, to, after: after ?? null };
}

/** Makes the query of a page of the open messages that an agent may take, to nobody or to somebody, from `after` on. */
export function selectOpen(
  wanted: Wanted,
  to: "nobody" | "somebody",
  { after, left }: { after?: number; left: number },
): { statement: Statement; read(rows: Row[]): Promise<{ messages: Message[]; more: boolean }> } {
  const { kind, from } = wanted;
  const { args, where, sql } = createConditions(`room_id = :room`, { room: wanted.room });
  where("to_agent = :to", "to", to === "nobody" ? undefined : wanted.to ?? wanted.agent);
  where("kind = :kind", "kind", kind);
  where("from_agent = :from", "from", from);
  where("id > :after", "after", after ?? wanted.after);
  const plain = [to === "nobody" ? "to_agent IS NULL" : "to_agent IS NOT NULL"];
  if (kind === undefined) plain.push(`kind NOT IN ${NO_TASK}`);
  const listing = { ...listingOf([sql(), ...plain].join(" AND "), args), live: UNCLAIMED };
  return {
    statement: selectPage(listing, { left: left + 1, bytes: PAGE_BYTES }),
    async read(rows) {
      const found = rowsOfPage(listing, rows);
      const messages = await mapYielding(found.slice(0, left), ({ row }) => toMessage(row));
      return { messages, more: rows[0]!.edge !== null || found.length > left };
    },
  };
}

/**
 * Selects what is there for agents that want the same: `free`, the number of messages to nobody, counted up to the
 * number of agents, and `own`, those of the agents to whom some message is addressed.
 */
export function selectThere(wanted: Wanted, agents: string[]): Statement {
  const nobody = addressed("nobody", wanted, "id", agents.length);
  const somebody = addressed("somebody", wanted, "1", 1, "agent.value");
  const args = { ...argsOfWanted(wanted), agents: JSON.stringify(agents) };
  const sql = `
    SELECT (SELECT COUNT(*) FROM (${nobody})) AS free,
           (SELECT json_group_array(agent.value) FROM json_each(:agents) AS agent WHERE EXISTS (${somebody})) AS own`;
  return statementOf(sql, args);
}
