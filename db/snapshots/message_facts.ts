import { listingOf } from "../messages/listing.ts";
import { type Message, toHead, toMessage } from "../messages/message.ts";
import type { Json } from "../json.ts";
import type { Query } from "../consistent_read/read.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { isBusyFor, yieldToOthers } from "../yield.ts";

/** What to load of a room's messages by name, besides their counts. */
export interface FactsQuery {
  /** Whether to load the newest id. */
  last: boolean;
  kind: readonly string[];
  to: readonly string[];
  from: readonly string[];
  id: readonly number[];
  /** Whether to load bodies, and those of results. */
  bodies: boolean;
}

/** What was loaded of messages, by the names of the query. */
export interface MessageFacts {
  /** The newest id, 0 where there is no message; undefined where it was not asked for. */
  last: number | undefined;
  kind: ReadonlyMap<string, KindFacts>;
  /** The newest id to an agent, and from one; 0 where there is none. */
  to: ReadonlyMap<string, number>;
  from: ReadonlyMap<string, number>;
  /** The messages of ids, undefined where there is none. */
  id: ReadonlyMap<number, MessageFact | undefined>;
}

export const KIND_COUNTS = ["count", "last", "open", "blocked", "claimed", "done", "failed"] as const;
type KindFacts = Record<typeof KIND_COUNTS[number], number>;

/** A message, its direct replies, and the body of its result. The bodies are null unless they were asked for. */
export type MessageFact = Message & { replies: { count: number; last: number }; result: Json };

const COUNTS_OF_KIND = KIND_COUNTS.map((column) => `found.${column}`).join(", ");
const NEWEST = `SELECT MAX(id) FROM messages WHERE room_id = :room`;
// A sender's newest message is in the last block of 256 ids in which it has posted.
const LAST_BLOCK = `(SELECT MAX(block) FROM senders WHERE room_id = :room AND agent_id = name.value)`;
const WITHIN_BLOCK = `id BETWEEN ${LAST_BLOCK} << 8 AND (${LAST_BLOCK} << 8) + 255`;

/** Selects an array of values for each name of a list. */
const forEach = (list: keyof FactsQuery, values: string, found = "") =>
  `(SELECT json_group_array(json_array(name.value, ${values})) FROM json_each(:${list}) AS name ${found})`;

/**
 * Selects all but the messages in one row. For each name it reads the same number of rows, however many messages there
 * are.
 */
const FACTS = `
  SELECT CASE WHEN :last THEN (${NEWEST}) END AS last,
    ${
  forEach(
    "kind",
    COUNTS_OF_KIND,
    "CROSS JOIN message_kinds AS found ON room_id = :room AND kind = name.value",
  )
} AS kinds,
    ${forEach("to", `(${NEWEST} AND to_agent = name.value)`)} AS addressed,
    ${forEach("from", `(${NEWEST} AND from_agent = name.value AND ${WITHIN_BLOCK})`)} AS sent,
    ${
  forEach(
    "id",
    `found.count, (${NEWEST} AND reply_to = name.value)`,
    "CROSS JOIN replies AS found ON room_id = :room AND message_id = name.value",
  )
} AS replies`;

const WITH_RESULTS = `
  SELECT value FROM json_each(:ids)
   UNION ALL
  SELECT result_id FROM json_each(:ids) CROSS JOIN messages ON room_id = :room AND messages.id = value
   WHERE result_id IS NOT NULL`;

/** The number of names whose facts weigh as much as a small statement. */
const NAMES_OF_WEIGHT = 50;

/** Makes the queries whose rows are for `toFacts`; none where nothing is asked for. */
export function selectFacts(room: string, query: FactsQuery): Query[] {
  const { last, kind, to, from, id, bodies } = query;
  const names = kind.length + to.length + from.length + id.length;
  if (!last && names === 0) return [];
  const ids = JSON.stringify(id);
  const lists = { kind: JSON.stringify(kind), to: JSON.stringify(to), from: JSON.stringify(from), id: ids };
  const facts: Statement = {
    sql: FACTS,
    args: { room, last: Number(last), ...lists },
    single: true,
    weight: 1 + Math.floor(names / NAMES_OF_WEIGHT),
  };
  if (id.length === 0) return [facts];
  const where = `WHERE room_id = :room AND id IN (${
    bodies ? WITH_RESULTS : "SELECT value FROM json_each(:ids)"
  })`;
  const messages = listingOf(where, { room, ids });
  const columns = messages.columns.filter((column) => bodies || column !== "body");
  return [facts, { ...messages, columns }];
}

export async function toFacts(query: FactsQuery, [facts, messages]: Row[][]): Promise<MessageFacts> {
  const row = facts?.[0] ?? {};
  const found = (column: string) =>
    new Map<string | number, number[]>(
      (JSON.parse(row[column] as string ?? "[]") as Array<[string | number, ...number[]]>)
        .map(([name, ...values]) => [name, values]),
    );
  const [kinds, addressed, sent, replies] = ["kinds", "addressed", "sent", "replies"].map(found);
  const newest = (list: readonly string[], ids: ReadonlyMap<string | number, number[]>) =>
    new Map(list.map((name) => [name, ids.get(name)?.[0] ?? 0]));
  return {
    last: query.last ? Number(row.last) : undefined,
    kind: new Map(query.kind.map((name) => [name, kindFacts(kinds!.get(name))])),
    to: newest(query.to, addressed!),
    from: newest(query.from, sent!),
    id: await messageFacts(query, messages ?? [], replies!),
  };
}

function kindFacts(counts: number[] = []): KindFacts {
  return Object.fromEntries(KIND_COUNTS.map((name, n) => [name, counts[n] ?? 0])) as KindFacts;
}

async function messageFacts(
  { id, bodies }: FactsQuery,
  rows: Row[],
  replies: ReadonlyMap<string | number, number[]>,
): Promise<Map<number, MessageFact | undefined>> {
  const byId = new Map(rows.map((row) => [Number(row.id), row]));
  const found = new Map<number, MessageFact | undefined>();
  for (const one of id) {
    const row = byId.get(one);
    if (row && bodies && isBusyFor(row.body)) await yieldToOthers();
    found.set(
      one,
      row && { ...shownOf(row, bodies), ...repliesOf(replies.get(one)), result: resultOf(row, byId) },
    );
  }
  return found;
}

function shownOf(row: Row, bodies: boolean): Message {
  return bodies ? toMessage(row) : { ...toHead(row), body: null };
}

function repliesOf([count = 0, last = 0]: number[] = []) {
  return { replies: { count, last } };
}

/** Returns the body of a message's result; null where there is none, or where bodies are not loaded. */
function resultOf({ result_id: id }: Row, byId: ReadonlyMap<number, Row>): Json {
  const body = id === null ? undefined : byId.get(Number(id))?.body;
  return body === undefined ? null : JSON.parse(body as string);
}
