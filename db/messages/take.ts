import { UNCLAIMED } from "../consistent_read/changed.ts";
import {
  hasEnded,
  hasLeft,
  type Noticed,
  noticeOf,
  type Registration,
  registrationOf,
  roomWithRegistration,
  whileRegistered,
} from "../agents/registration.ts";
import type { Database } from "../database.ts";
import { argsOf, type Row, type Statement } from "../driver/statement.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { revisionOf } from "../rooms/room.ts";
import { ADMITTED, NEW_REVISION } from "../write/admission.ts";
import type { Outcome, WriteContext } from "../write/context.ts";
import { endsAt } from "../write/due.ts";
import { heartbeatOf } from "../write/heartbeat.ts";
import { type Guard, holds } from "../write/read_set.ts";
import { commit, type Write } from "../write/write.ts";
import { beginAttempt, CLAIM, END_OF_CLAIM } from "./claims.ts";
import { ATTEMPTS, COLUMNS, type Message, toMessage } from "./message.ts";
import { argsOfWanted, MAX_PASSED, oldest, passed, type Wanted } from "./open.ts";

/** Finds the message that the write has claimed: no other has the write's revision. */
const CLAIMED_NOW = `
  FROM messages INDEXED BY messages_claimed
   WHERE room_id = :room AND claimed_by IS NOT NULL AND revision = ${NEW_REVISION}`;

const BEGIN_ATTEMPT = beginAttempt(CLAIMED_NOW);
const GET_TAKEN = `SELECT ${COLUMNS.join(", ")} ${CLAIMED_NOW}`;

/** True where each of these messages is claimed by its agent. */
const TAKEN_BEFORE = `
  (SELECT COUNT(*) FROM json_each(:before) AS taken CROSS JOIN messages
    WHERE messages.room_id = :room AND messages.id = taken.value ->> 0 AND claimed_by = taken.value ->> 1
  ) = json_array_length(:before)`;

/** Tells whether a message of the kind that is asked for was ever posted in the room. */
const KNOWN_KIND =
  "(:kind IS NULL OR EXISTS (SELECT 1 FROM message_kinds WHERE room_id = :room AND kind = :kind)) AS known";

/** Selects the last message that a search passed, and how many it passed. */
const REACHED = (wanted: Wanted) =>
  `SELECT MAX(id) AS reached, COUNT(*) AS number FROM (${passed(wanted, "id", MAX_PASSED + 1)})`;

/** A message that was judged, as it was: nothing else of it changes while it is open. */
export type Chosen = [id: number, attempts: number];

/** A take whose message was chosen before the write. */
interface JudgedTake {
  /** The chosen message, or several, of which the oldest is taken that is still open. */
  chosen: Chosen[];
  /** What must still hold of the room. */
  guard?: Guard;
  /** The messages that fit too, which agents must have taken before. */
  before?: Array<[id: number, agent: string]>;
  nonce: string;
}

/** How a take is made: of a chosen message, and while the agent's registration is `joined`. */
interface TakeOptions {
  judged?: JudgedTake;
  joined?: Registration;
  /** The take goes on without a task, under a mark that is its heartbeat: an attempt that takes none is no other. */
  waits?: boolean;
}

const CHOSEN = `
  SELECT id FROM messages WHERE room_id = :room AND id = :id AND ${UNCLAIMED} AND ${ATTEMPTS} = :attempts`;
/** Selects the oldest open one of several. One message alone takes a server less time to prepare. */
const FIRST_CHOSEN = `
  SELECT MIN(messages.id) FROM json_each(:chosen) AS chosen CROSS JOIN messages
   WHERE messages.room_id = :room AND messages.id = chosen.value ->> 0 AND ${UNCLAIMED}
     AND ${ATTEMPTS} = chosen.value ->> 1`;

/**
 * Claims the oldest open message that fits, or a chosen one, in one round trip. The outcome is for `takenOf` and
 * `reachedOf`; it changed nothing where no message fits. `joined` is the agent's registration, as the write found it.
 * Returns undefined where what was judged no longer holds.
 * Errors: `room_not_found`; `agent_not_found` where the registration of the options is over.
 */
export async function takeTask(
  database: Database,
  context: WriteContext,
  wanted: Wanted,
  options: TakeOptions = {},
): Promise<{ outcome: Outcome; joined: Registration } | undefined> {
  const { judged, joined } = options;
  const [nonce, now] = [judged?.nonce ?? context.newId(), await context.time()];
  const { outcome, reads } = await commit(database, context, writeOf(context, wanted, options, nonce, now));
  const revision = revisionOf(reads[0]!);
  const registered = registrationOf(reads[0]![0]);
  if (outcome.revision !== undefined || outcome.replayed) return { outcome, joined: registered };
  if (hasEnded(joined, registered)) throw hasLeft(wanted.agent, revision);
  return judged ? undefined : { outcome, joined: registered };
}

function writeOf(
  context: WriteContext,
  wanted: Wanted,
  { judged, joined, waits }: TakeOptions,
  nonce: string,
  now: Date,
): Write {
  const { room, agent, ttl } = wanted;
  const guard = holds(judged?.guard);
  const found = judged === undefined ? oldest(wanted) : judged.chosen.length === 1 ? CHOSEN : FIRST_CHOSEN;
  const args = {
    ...argsOfWanted(wanted),
    ...guard.args,
    id: judged?.chosen[0]?.[0] ?? null,
    attempts: judged?.chosen[0]?.[1] ?? null,
    chosen: JSON.stringify(judged?.chosen ?? []),
    before: JSON.stringify(judged?.before ?? []),
    agent,
    ttl,
    nonce,
    now: now.toISOString(),
    joined: joined ?? null,
  };
  const statement = (sql: string): Statement => ({ sql, args: argsOf(sql, args) });
  const counts = ["unclaimed_count = unclaimed_count - 1", ...endsAt("leases", END_OF_CLAIM)];
  const before = judged?.before?.length ? [TAKEN_BEFORE] : [];
  const where = [`(${found}) IS NOT NULL`, guard.sql, ...before, ...whileRegistered(joined)];
  const claim = `${CLAIM} WHERE room_id = :room AND id = (${found}) AND ${ADMITTED}`;
  const searches = wanted.from !== undefined && !judged;
  const ofRoom = ["revision", "joined", "known"];
  return {
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
    effects: [
      statement(claim),
      statement(BEGIN_ATTEMPT),
      ...heartbeatOf(room, agent, now, context, waits ? { sql: ADMITTED, args: { nonce } } : undefined),
    ],
    reads: [
      { ...statement(roomWithRegistration(KNOWN_KIND)), answer: { columns: ofRoom } },
      { ...statement(GET_TAKEN), answer: { columns: COLUMNS } },
      ...(searches ? [{ ...statement(REACHED(wanted)), answer: { columns: ["reached", "number"] } }] : []),
    ],
  };
}

/**
 * Reads what an outcome took; `taken` is undefined where no message fits. `unknown`: no message of the kind that was
 * asked for was ever posted, as far as the outcome tells. Errors: `room_not_found`.
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

/** Returns the id after which a search that found nothing goes on; undefined where it has passed all messages. */
export function reachedOf({ rows: [, , reached] }: Outcome): number | undefined {
  const row: Row | undefined = reached?.[0];
  return row && Number(row.number) > MAX_PASSED ? Number(row.reached) - 1 : undefined;
}
