import { UNCLAIMED } from "../consistent_read/changed.ts";
import { createConditions } from "../consistent_read/conditions.ts";
import { PAGE_BYTES, rowsOfPage, selectPage } from "../consistent_read/listing.ts";
import type { Database } from "../database.ts";
import { argsOf, type Row, type Statement, type Value } from "../driver/statement.ts";
import {
  hasEnded,
  hasLeft,
  type Noticed,
  noticeOf,
  type Registration,
  registrationOf,
  roomWithRegistration,
  whileRegistered,
} from "../agents/departures.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { revisionOf } from "../rooms/room.ts";
import { ADMITTED } from "../write/admission.ts";
import type { Outcome, WriteContext } from "../write/context.ts";
import { endsAt } from "../write/due.ts";
import { heartbeatOf } from "../write/heartbeat.ts";
import { type Guard, holds } from "../write/read_set.ts";
import { commit } from "../write/write.ts";
import { CLAIM, END_OF_CLAIM } from "./claims.ts";
import { COLUMNS, type Message, toMessage } from "./message.ts";
import { mapYielding } from "../yield.ts";
import { listingOf } from "./listing.ts";
import { REVISION } from "./task.ts";

/** Kinds that are no tasks: they are taken only by name. As in the indexes of db/driver/release_2.ts. */
const TALK = ["message", "result", "ask"];
const NO_TASK = `(${TALK.map((kind) => `'${kind}'`).join(", ")})`;

/** Messages that may be passed in search of one that fits a filter which no index serves. */
export const MAX_PASSED = 1_000;

/** What an agent takes: the oldest open message that fits. */
export interface Wanted {
  room: string;
  agent: string;
  /** Seconds until the claim ends. */
  ttl: number;
  /** Without it: any kind of task. */
  kind?: string;
  from?: string;
  /** Without it: what is addressed to nobody or to the agent. */
  to?: string;
  /** The id after which it is to be. */
  after?: number;
}

/** Finds the open messages of one address, by id; `:to` names it where it is somebody. */
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

/** Finds the open messages that an agent may take, but for a sender; each address has an index of its own. */
function mayTake(wanted: Wanted, columns: string, limit: number): string {
  const some = addressed("somebody", wanted, columns, limit);
  return wanted.to === undefined ? `${addressed("nobody", wanted, columns, limit)} UNION ALL ${some}` : some;
}

/** Finds the messages that are looked at where a filter has no index, in their order. */
function passed(wanted: Wanted, columns: string, limit = MAX_PASSED): string {
  return `SELECT ${columns} FROM (${mayTake(wanted, columns, limit)}) ORDER BY id LIMIT ${limit}`;
}

/** Selects the id of the oldest message that fits, null where there is none. */
function oldest(wanted: Wanted): string {
  if (wanted.from === undefined) return `SELECT MIN(id) FROM (${mayTake(wanted, "id", 1)})`;
  return `SELECT MIN(id) FROM (${passed(wanted, "id, from_agent")}) WHERE from_agent = :from`;
}

function argsOfWanted(
  { room, agent, kind, from, to = agent, after }: Wanted,
): Record<string, Value> {
  return { room, kind: kind ?? null, from: from ?? null, to, after: after ?? null };
}

/** The message that the write has claimed, whose revision no other has. */
const CLAIMED_NOW = `
  FROM messages INDEXED BY messages_claimed
   WHERE room_id = :room AND claimed_by IS NOT NULL AND revision = ${REVISION}`;

const BEGIN_ATTEMPT = `
  INSERT INTO attempts (room_id, message_id, fence, agent_id, claimed_at)
  SELECT room_id, id, fence, claimed_by, claimed_at ${CLAIMED_NOW}`;

const GET_TAKEN = `SELECT ${COLUMNS.join(", ")} ${CLAIMED_NOW}`;

/** True once these agents have these messages. */
const TAKEN_BEFORE = `
  (SELECT COUNT(*) FROM json_each(:before) AS taken CROSS JOIN messages
    WHERE messages.room_id = :room AND messages.id = taken.value ->> 0 AND claimed_by = taken.value ->> 1
  ) = json_array_length(:before)`;

/** Whether the room has, or had, messages of the kind that is asked for. */
const KNOWN_KIND =
  "(:kind IS NULL OR EXISTS (SELECT 1 FROM message_kinds WHERE room_id = :room AND kind = :kind)) AS known";

/** How far a search went: the last message passed, null where all that are open were. */
const REACHED = (wanted: Wanted) =>
  `SELECT MAX(id) AS reached, COUNT(*) AS number FROM (${passed(wanted, "id", MAX_PASSED + 1)} )`;

/** The message that was found to fit, and what must hold of the room; of those that fit too, agents have these `before`. */
interface JudgedTake {
  id: number;
  guard?: Guard;
  before?: Array<[id: number, agent: string]>;
  nonce: string;
}

/**
 * Claims the oldest open message that fits, in one round trip; `judged`: this one alone, and it returns undefined where
 * that no longer holds. `joined`: while this is the agent's registration, if it has one; returns that as it was then. The
 * outcome, which changed nothing where there was none, is for `takenOf` and `reachedOf`. Errors: `room_not_found`,
 * `agent_not_found` where that registration is over.
 */
export async function takeTask(
  database: Database,
  context: WriteContext,
  wanted: Wanted,
  { judged, joined }: { judged?: JudgedTake; joined?: Registration } = {},
): Promise<{ outcome: Outcome; joined: Registration } | undefined> {
  const { room, agent, ttl } = wanted;
  const [nonce, now] = [judged?.nonce ?? context.newId(), await context.time()];
  const guard = holds(judged?.guard);
  const found = judged
    ? `SELECT id FROM messages WHERE room_id = :room AND id = :id AND ${UNCLAIMED}`
    : oldest(wanted);
  const args = {
    ...argsOfWanted(wanted),
    ...guard.args,
    id: judged?.id ?? null,
    before: JSON.stringify(judged?.before ?? []),
    agent,
    ttl,
    nonce,
    now: now.toISOString(),
    joined: joined ?? null,
  };
  const statement = (sql: string): Statement => ({ sql, args: argsOf(sql, args) });
  const claim = `${CLAIM} WHERE room_id = :room AND id = (${found}) AND ${ADMITTED}`;
  const passes = wanted.from !== undefined && !judged;
  const counts = ["unclaimed_count = unclaimed_count - 1", ...endsAt("leases", END_OF_CLAIM)];
  const before = judged?.before?.length ? [TAKEN_BEFORE] : [];
  const where = [`(${found}) IS NOT NULL`, guard.sql, ...before, ...whileRegistered(joined)];
  const { outcome, reads } = await commit(database, context, {
    room,
    part: "messages",
    nonce,
    now,
    admission: {
      counts,
      where,
      args: argsOf([...counts, ...where].join(), args),
      requires: RELEASE_OF_TASKS,
    },
    effects: [statement(claim), statement(BEGIN_ATTEMPT), ...heartbeatOf(room, agent, now, context)],
    reads: [
      {
        ...statement(roomWithRegistration(KNOWN_KIND)),
        answer: { columns: ["revision", "joined", "known"] },
      },
      { ...statement(GET_TAKEN), answer: { columns: COLUMNS } },
      ...(passes ? [{ ...statement(REACHED(wanted)), answer: { columns: ["reached", "number"] } }] : []),
    ],
  });
  const revision = revisionOf(reads[0]!);
  const registered = registrationOf(reads[0]![0]);
  if (outcome.revision !== undefined || outcome.replayed) return { outcome, joined: registered };
  if (hasEnded(joined, registered)) throw hasLeft(agent, revision);
  return judged ? undefined : { outcome, joined: registered };
}

/**
 * Reads what an outcome took, undefined where there was nothing; `unknown`: of the kind that was asked for nothing was
 * ever posted, as far as the outcome tells. Errors: `room_not_found`.
 */
export function takenOf(
  { rows: [rooms, taken] }: Outcome,
): { taken?: Message; unknown: boolean; noticed: Noticed; revision: number } {
  const revision = revisionOf(rooms!);
  const [row, room] = [taken![0], rooms![0]!];
  return {
    taken: row && toMessage(row),
    unknown: Number(room.known ?? 1) === 0,
    noticed: noticeOf(room),
    revision,
  };
}

/** True of a kind of task. */
export function isTask(kind: string): boolean {
  return !TALK.includes(kind);
}

/** Makes the query of open messages that an agent may take, of one address, from `after` on: at most a page. */
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

/** Reads where a search that found nothing stopped before the end: the id after which it goes on. */
export function reachedOf({ rows: [, , reached] }: Outcome): number | undefined {
  const row: Row | undefined = reached?.[0];
  return row && Number(row.number) > MAX_PASSED ? Number(row.reached) - 1 : undefined;
}

/**
 * Counts what is there for agents that want the same: what is addressed to nobody, as far as `agents` go, and the agents
 * to whom something is addressed.
 */
export function selectThere(wanted: Wanted, agents: string[]): Statement {
  const nobody = addressed("nobody", wanted, "id", agents.length);
  const somebody = addressed("somebody", wanted, "1", 1, "agent.value");
  const args = { ...argsOfWanted(wanted), agents: JSON.stringify(agents) };
  const sql = `
    SELECT (SELECT COUNT(*) FROM (${nobody})) AS free,
           (SELECT json_group_array(agent.value) FROM json_each(:agents) AS agent WHERE EXISTS (${somebody})) AS own`;
  return { sql, args: argsOf(sql, args) };
}
