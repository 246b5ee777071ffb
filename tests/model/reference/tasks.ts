import { timeOf } from "./clock.ts";
import { ANY, Only } from "./comparison.ts";
import { type Condition, judge } from "./conditions.ts";
import { isWithin, messageOf, shownMessage, UNCLAIMED } from "./messages.ts";
import {
  answer,
  type Attempt,
  type Expected,
  type Message,
  noticeTo,
  recordHeartbeat,
  refusal,
  type Room,
  type Value,
} from "./room.ts";

/** Who asks for something of a message. */
export interface Asked {
  agent: string;
  /** Of the message. */
  id: number;
  fence?: number;
}

/** The claim's members of an answer. */
function shownClaim(room: Room, message: Message) {
  const { claimed_by, claimed_at, claimed_until, fence, attempts } = shownMessage(room, message);
  return { claimed: true, claimed_by, message_id: message.id, claimed_at, claimed_until, fence, attempts };
}

const inSeconds = ({ clock }: Room, ttl?: number) => ttl === undefined ? null : clock.now + ttl * 1_000;

function begin(room: Room, message: Message, agent: string, ttl?: number): void {
  const fence = ++room.revision;
  const claimed_at = timeOf(room.clock);
  Object.assign(message, {
    ...{ status: "claimed", claimed_by: agent, claimed_at, until: inSeconds(room, ttl), fence },
    changed: fence,
  });
  const open = { ended_at: null, ended: null, error: null, explained: false, leased: false };
  message.attempts.push({ fence, agent, claimed_at, ...open });
}

export function claim(room: Room, { agent, id }: Asked, ttl?: number): Expected {
  recordHeartbeat(room, agent);
  const message = messageOf(room, id);
  if (!message) return refusal(room, 404, "message_not_found");
  const { status, claimed_by } = message;
  const { claimed_at, claimed_until, done_at } = shownMessage(room, message);
  if (status === "blocked") {
    return refusal(room, 409, "task_blocked", { blocked_by: unmet(room, message).sort((a, b) => a - b) });
  }
  if (status === "done" || status === "failed") {
    return refusal(room, 409, "task_over", { status, done_at, claimed_by });
  }
  if (status === "claimed" && claimed_by !== agent) {
    return refusal(room, 409, "already_claimed", { claimed: false, claimed_by, claimed_at, claimed_until });
  }
  if (status === "open") begin(room, message, agent, ttl);
  else if (ttl !== undefined) extend(room, message, ttl);
  return answer(room, new Only({ ...shownClaim(room, message), ...noticeTo(room, agent) }));
}

function extend(room: Room, message: Message, ttl: number): void {
  message.changed = ++room.revision;
  message.until = inSeconds(room, ttl);
}

function unmet(room: Room, { needs }: Message): number[] {
  return needs.filter((id) => messageOf(room, id)!.status !== "done");
}

/** Whether an agent has a message under its fence, or without one where the claim is for good. */
function holds({ status, claimed_by, until, fence }: Message, asked: Asked): boolean {
  return status === "claimed" && claimed_by === asked.agent &&
    (asked.fence === undefined ? until === null : fence === asked.fence);
}

/** The refusal of who does not hold a message. */
function notHeld(room: Room, message: Message, { agent, fence: named }: Asked): Expected {
  const { status, claimed_by, claimed_until, fence } = shownMessage(room, message);
  if (named === undefined && status === "claimed" && claimed_by === agent) {
    return { status: 400, body: { error: "invalid_request" } };
  }
  return refusal(room, 409, "lease_lost", { status, claimed_by, claimed_until, fence });
}

/** What all that an agent does with a message of its own has in common. */
function own(room: Room, asked: Asked, change: (message: Message) => Expected | undefined): Expected {
  recordHeartbeat(room, asked.agent);
  const message = messageOf(room, asked.id);
  if (!message) return refusal(room, 404, "message_not_found");
  return change(message) ?? notHeld(room, message, asked);
}

export function renew(room: Room, asked: Asked, ttl: number): Expected {
  return own(room, asked, (message) => {
    if (!holds(message, asked)) return;
    extend(room, message, ttl);
    return answer(room, shownClaim(room, message));
  });
}

/** Ends the claim that a message is under, at a time in milliseconds. */
function endAttempt(room: Room, message: Message, ended: Attempt["ended"], error?: Value, at?: number): void {
  Object.assign(message.attempts.at(-1)!, {
    ...{ ended, ended_at: timeOf(room.clock, at), error: error ?? null, explained: error !== undefined },
    leased: message.until !== null,
  });
  message.until = null;
  message.changed = room.revision;
}

/** Gives a message back, which is open then, or failed where that was its last attempt. */
function giveBack(room: Room, message: Message, at?: number): void {
  if (message.attempts.length < (message.max_attempts ?? Infinity)) {
    Object.assign(message, { status: "open", ...UNCLAIMED });
    return;
  }
  const told = message.attempts.findLast(({ ended }) => ended === "released");
  const error = told?.explained ? { error: told.error } : {};
  Object.assign(message, {
    status: "failed",
    done_at: timeOf(room.clock, at),
    failure: { reason: "attempts", ...error },
  });
}

export function release(room: Room, asked: Asked, error?: Value): Expected {
  return own(room, asked, (message) => {
    if (!holds(message, asked)) return;
    room.revision++;
    endAttempt(room, message, "released", error);
    giveBack(room, message);
    failDependents(room, timeOf(room.clock));
    return answer(room, { released: true, message_id: message.id, status: message.status });
  });
}

export function complete(room: Room, asked: Asked, result?: Value): Expected {
  return own(room, asked, (message) => {
    const { id, claimed_by, fence, status } = message;
    const last = message.attempts.at(-1);
    const again = status === "done" && claimed_by === asked.agent &&
      (asked.fence === undefined ? last?.leased === false : fence === asked.fence);
    if (!again && !holds(message, asked)) return;
    const done_at = again ? message.done_at : timeOf(room.clock);
    if (!again) {
      room.revision++;
      endAttempt(room, message, "completed");
      Object.assign(message, { status: "done", done_at });
      if (result !== undefined) postResult(room, message, asked.agent, result);
      for (const other of room.messages) {
        if (other.status !== "blocked" || !other.needs.includes(id) || unmet(room, other).length > 0) {
          continue;
        }
        Object.assign(other, { status: "open", changed: room.revision });
      }
    }
    const posted = message.result_id === null ? null : messageOf(room, message.result_id)!;
    const shown = posted && shownMessage(room, posted);
    return answer(room, { completed: true, message_id: id, done_at, result: shown });
  });
}

/** Its id is the revision of the completion. */
function postResult(room: Room, { id }: Message, from_agent: string, body: Value): void {
  const now = timeOf(room.clock);
  const at = room.revision;
  room.messages.push({
    ...{ id: at, from_agent, to_agent: null, kind: "result", body, created_at: now, reply_to: id },
    ...{ status: "done", ...UNCLAIMED, attempts: [], max_attempts: null, needs: [] },
    ...{ done_at: now, result_id: null, failure: null, changed: at },
  });
  messageOf(room, id)!.result_id = at;
}

export function fail(room: Room, asked: Asked, error?: Value): Expected {
  return own(room, asked, (message) => {
    const { status, from_agent } = message;
    const withdrawn = asked.fence === undefined && (status === "open" || status === "blocked") &&
      (from_agent === null || from_agent === asked.agent);
    const held = holds(message, asked);
    if (!held && !withdrawn) return;
    const done_at = timeOf(room.clock);
    room.revision++;
    if (held) endAttempt(room, message, "failed", error);
    Object.assign(message, {
      ...{ status: "failed", done_at, changed: room.revision },
      failure: { reason: "failed", ...(error !== undefined && { error }) },
    });
    failDependents(room, done_at);
    return answer(room, { failed: true, message_id: message.id, status: "failed", done_at });
  });
}

/** Fails what needs a message that has failed, until nothing does any more. */
function failDependents(room: Room, done_at: Message["done_at"]): void {
  const hasFailed = (id: number) => messageOf(room, id)!.status === "failed";
  for (const message of room.messages) {
    // They name earlier messages only: one pass suffices.
    if (message.status !== "blocked" || !message.needs.some(hasFailed)) continue;
    const first = Math.min(...message.needs.filter(hasFailed));
    Object.assign(message, {
      ...{ status: "failed", done_at, changed: room.revision },
      failure: { reason: "need", message: first },
    });
  }
}

/** The claims of an agent that leaves end, all in one revision. */
export function releaseAll(room: Room, left: string): void {
  const held = room.messages.filter(({ status, claimed_by }) => status === "claimed" && claimed_by === left);
  if (held.length === 0) return;
  room.revision++;
  for (const message of held) {
    endAttempt(room, message, "released");
    giveBack(room, message);
  }
  failDependents(room, timeOf(room.clock));
}

/** Claims whose time is over end, all in one revision. */
export function endLeases(room: Room): void {
  const over = room.messages.filter(({ until }) => until !== null && until <= room.clock.now);
  if (over.length === 0) return;
  room.revision++;
  const ends = over.map(({ until }) => until!);
  const failing: number[] = [];
  for (const [n, message] of over.entries()) {
    endAttempt(room, message, "expired", undefined, ends[n]);
    giveBack(room, message, ends[n]);
    if (message.status === "failed") failing.push(ends[n]!);
  }
  if (failing.length > 0) failDependents(room, timeOf(room.clock, Math.max(...failing)));
}

export function listAttempts(room: Room, id: number): Expected {
  const message = messageOf(room, id);
  if (!message) return refusal(room, 404, "message_not_found");
  return answer(room, message.attempts.map(({ explained: _, leased: __, ...shown }) => new Only(shown)));
}

/** What is judged of each message that a take may have. */
export type Where = { attempts: number } | { newerThan: number } | Condition;

export interface Take {
  agent: string;
  ttl?: number;
  kind?: string;
  from?: string;
  to?: string;
  thread?: number;
  after?: number;
  where?: Where;
}

const TAKEN_SECONDS = 300;

export function take(room: Room, asked: Take): Expected {
  const { agent, ttl = TAKEN_SECONDS, kind, from, to, thread, after = 0, where } = asked;
  recordHeartbeat(room, agent);
  const open = room.messages
    .filter(({ status, id }) => status === "open" && id > after)
    .filter((one) =>
      kind === undefined ? !["message", "result", "ask"].includes(one.kind) : one.kind === kind
    )
    .filter(({ from_agent }) => from === undefined || from_agent === from)
    .filter(({ to_agent }) => to === undefined ? [null, agent].includes(to_agent) : to_agent === to)
    .filter((one) => thread === undefined || isWithin(room, one, thread));
  let why: object = {};
  for (const message of open) {
    const judged = where ? judgeOf(room, message, where, agent) : { value: true };
    if ("error" in judged) why = { last_error: { code: judged.error } };
    else if (judged.value) {
      begin(room, message, agent, ttl);
      const claim = { ...shownClaim(room, message), ...noticeTo(room, agent) };
      return answer(room, new Only({ ...claim, message: shownMessage(room, message) }));
    }
  }
  const isKnown = kind === undefined || where || thread !== undefined ||
    room.messages.some((one) => one.kind === kind);
  const told = { ...noticeTo(room, agent), ...(!isKnown && { hint: ANY }) };
  return answer(room, new Only({ claimed: false, timeout: true, elapsed_ms: ANY, ...told, ...why }));
}

function judgeOf(room: Room, { id, attempts }: Message, where: Where, agent: string) {
  if ("attempts" in where) return { value: attempts.length === where.attempts };
  if ("newerThan" in where) return { value: id > where.newerThan };
  return judge(room, where, agent);
}
