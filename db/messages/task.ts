import type { Database } from "../database.ts";
import { argsOf, type Statement, type Value } from "../driver/statement.ts";
import { roomWithRegistration } from "../agents/registration.ts";
import { Refusal } from "../refusal.ts";
import { revisionOf } from "../rooms/room.ts";
import type { Outcome, Step, WriteContext } from "../write/context.ts";
import { timeOf } from "../write/due.ts";
import { heartbeatOf } from "../write/heartbeat.ts";
import { commit } from "../write/write.ts";
import { ATTEMPTS, FENCE, HOLDER, STATUS, type Task } from "./message.ts";

/** A message, and the agent that claims or holds it. */
export interface Claimant {
  room: string;
  message: number;
  agent: string;
}

export interface Held extends Claimant {
  /** Needed where the claim has a ttl. */
  fence?: number;
}

/** A message as a write leaves it, or as a refused one finds it. */
export interface TaskNow extends Omit<Task, "max_attempts" | "needs" | "result_id" | "failure"> {
  id: number;
  /** Its unfinished needs, while it is blocked. */
  blocked_by: number[];
}

const SHOWN = {
  id: "id",
  status: STATUS,
  claimed_by: HOLDER,
  claimed_at: "claimed_at",
  claimed_until: timeOf("claimed_until"),
  fence: FENCE,
  attempts: ATTEMPTS,
  done_at: "done_at",
  blocked_by: `CASE status WHEN 'blocked' THEN (
    SELECT json_group_array(need_id) FROM needs WHERE needs.room_id = :room AND message_id = :message) END`,
};

const COLUMNS = [...Object.keys(SHOWN), "again"];

/** Selects the message for `changedTask`, and whether the change was made before. */
const get = (again: string) => `
  SELECT ${Object.entries(SHOWN).map(([name, sql]) => `${sql} AS ${name}`).join(", ")}, ${again} AS again
    FROM messages WHERE room_id = :room AND id = :message`;

const NEVER = "FALSE";

/** A change of a message that an agent claims or holds. Its SQL may use `:room`, `:message` and `args`. */
interface Change {
  /** The precondition, on the message. */
  where: string;
  /** True of the message if the change was made before. It is then answered as if it were made now. */
  again?: string;
  args: Record<string, Value>;
  counts?: string[];
  requires?: number;
  effects(write: { nonce: string; now: string }): Statement[];
  /** Further reads for the answer. */
  reads?: Step[];
  refuse(task: TaskNow, revision: number): Refusal;
}

/**
 * Commits a change of a message, and a heartbeat of its agent. The outcome has the rows for `changedTask`, then those
 * of the further reads. Errors: `room_not_found`, `unauthenticated`, `forbidden`, `message_not_found`; what `refuse`
 * makes.
 */
export async function changeTask(
  database: Database,
  context: WriteContext,
  { room, message, agent }: Claimant,
  { where, again = NEVER, args, counts = [], requires, effects, reads = [], refuse }: Change,
): Promise<Outcome> {
  const [nonce, now] = [context.newId(), await context.time()];
  const named = { ...args, room, message };
  const statement = (sql: string) => ({ sql, args: argsOf(sql, named) });
  const { outcome } = await commit(database, context, {
    room,
    part: "messages",
    nonce,
    now,
    admission: {
      counts,
      where: [whereMessage(where)],
      args: { ...argsOf([where, ...counts].join(), named), message },
      requires,
    },
    effects: [...effects({ nonce, now: now.toISOString() }), ...heartbeatOf(room, agent, now, context)],
    reads: [
      { sql: roomWithRegistration(), args: { room, agent }, answer: { columns: ["revision", "joined"] } },
      { ...statement(get(again)), answer: { columns: COLUMNS }, single: true },
      ...reads,
    ],
    granted: statement(whereMessage(again)),
  });
  if (outcome.revision !== undefined) return outcome;
  const { task, revision } = changedTask(outcome, message);
  if (!outcome.rows[1]![0]!.again) throw refuse(task, revision);
  return outcome;
}

/** Reads the room's revision and the message of an outcome. Errors: `room_not_found`, `message_not_found`. */
export function changedTask(
  { rows: [rooms, tasks] }: Outcome,
  message: number,
): { task: TaskNow; revision: number } {
  const revision = revisionOf(rooms!);
  const row = tasks![0];
  if (row === undefined) throw new Refusal("message_not_found", { message }, revision);
  const task = { ...row, id: message, blocked_by: JSON.parse(row.blocked_by as string ?? "[]") };
  return { task: task as unknown as TaskNow, revision };
}

export function notClaimable(task: TaskNow, revision: number): Refusal {
  const { id: message, status, claimed_by, claimed_at, claimed_until, done_at, blocked_by } = task;
  if (status === "blocked") return new Refusal("task_blocked", { message, blocked_by }, revision);
  if (status !== "claimed") {
    return new Refusal("task_over", { message, status, done_at: done_at!, claimed_by }, revision);
  }
  const claim = { claimed_by: claimed_by!, claimed_at: claimed_at!, claimed_until };
  return new Refusal("already_claimed", { message, ...claim }, revision);
}

/** Makes the refusal of an agent that does not hold the claim, or has not named its fence. */
export function notHeld(task: TaskNow, { agent, fence }: Held, revision: number): Refusal {
  const { id: message, status, claimed_by, claimed_until, fence: current, attempts } = task;
  const unnamed = fence === undefined && status === "claimed" && claimed_by === agent;
  const anothers = status === "claimed" && claimed_by !== agent && (fence ?? current) === current;
  const own = status === "done" && claimed_by === agent && (fence ?? current) === current;
  const others = status === "done" && claimed_by !== agent;
  return new Refusal(
    "lease_lost",
    {
      message,
      status,
      claimed_by,
      claimed_until,
      fence: current,
      unnamed,
      anothers,
      own,
      others,
      unclaimed: attempts === 0,
    },
    revision,
  );
}

/** True of a message that `:agent` holds, under any fence. */
export const HELD_BY_AGENT = "(status IS NULL AND claimed_by = :agent)";

/** True of a message that `:agent` holds under `:fence`; without a fence, under a claim without ttl. */
export const HELD = `(${HELD_BY_AGENT} AND
  CASE WHEN :fence IS NULL THEN claimed_until IS NULL ELSE ${FENCE} = :fence END)`;

/** Makes the condition that a condition on a message's row is true of `:message`. */
export function whereMessage(condition: string): string {
  return `EXISTS (SELECT 1 FROM messages WHERE room_id = :room AND id = :message AND ${condition})`;
}
