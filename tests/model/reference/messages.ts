import { agentInCel } from "./agents.ts";
import { timeOf } from "./clock.ts";
import { Only } from "./comparison.ts";
import {
  answer,
  type Expected,
  type Message,
  messageId,
  noticeTo,
  recordHeartbeat,
  refusal,
  type Room,
  type Value,
  type Which,
} from "./room.ts";

export interface NewMessage {
  from?: string;
  to?: string;
  kind?: string;
  body: Value;
  reply_to?: number;
  needs?: number[];
  max_attempts?: number;
}

export interface MessageFilter {
  after?: number;
  kind?: string;
  from?: string;
  to?: string;
  thread?: number;
  status?: string;
  claimed_by?: string;
  reply_to?: number;
  unclaimed: boolean;
  limit?: number;
  last?: number;
}

export function post(room: Room, posted: NewMessage): Expected {
  const { from, to, kind = "message", body, reply_to, max_attempts } = posted;
  recordHeartbeat(room, from);
  const needs = [...new Set(posted.needs)];
  const named = [...needs, ...(reply_to === undefined ? [] : [reply_to])];
  if (!named.every((id) => messageOf(room, id))) return refusal(room, 404, "message_not_found");
  const needed = needs.map((id) => messageOf(room, id)!);
  const failed = needed.find(({ status }) => status === "failed");
  const id = ++room.revision;
  const message: Message = {
    id,
    from_agent: from ?? null,
    to_agent: to ?? null,
    kind,
    body,
    created_at: timeOf(room.clock),
    reply_to: reply_to ?? null,
    status: failed ? "failed" : needed.every(({ status }) => status === "done") ? "open" : "blocked",
    ...UNCLAIMED,
    attempts: [],
    max_attempts: max_attempts ?? null,
    needs,
    done_at: failed ? timeOf(room.clock) : null,
    result_id: null,
    failure: failed ? { reason: "need", message: failed.id } : null,
    changed: id,
  };
  room.messages.push(message);
  const recipient = to === undefined ? {} : { recipient: recipientOf(room, to) };
  const told = from === undefined ? {} : noticeTo(room, from);
  return answer(room, new Only({ ...shownMessage(room, message), ...recipient, ...told }), 201);
}

export const UNCLAIMED = { claimed_by: null, claimed_at: null, until: null, fence: null };

function recipientOf(room: Room, id: string) {
  const agent = room.agents.get(id);
  if (agent === undefined) {
    return { registered: false, alive: null, status: null, waiting_on: null, last_heartbeat: null };
  }
  const { alive, status, waiting_on, last_heartbeat } = agentInCel(room, agent);
  return { registered: true, alive, status, waiting_on, last_heartbeat };
}

export function shownMessage(room: Room, { changed: _, until, attempts, failure, ...message }: Message) {
  return {
    room_id: room.id,
    verified: false,
    ...message,
    claimed_until: until && timeOf(room.clock, until),
    attempts: attempts.length,
    failure: failure && new Only(failure),
  };
}

export function listMessages(room: Room, filter: MessageFilter): Expected {
  const { after, kind, from, to, thread, status, claimed_by, reply_to, unclaimed, limit = 100, last } =
    filter;
  const matching = room.messages
    .filter(({ id }) => after === undefined || id > after)
    .filter((message) => kind === undefined || message.kind === kind)
    .filter(({ from_agent }) => from === undefined || from_agent === from)
    .filter(({ to_agent }) => to === undefined || to_agent === to)
    .filter((message) => thread === undefined || isWithin(room, message, thread))
    .filter((message) => status === undefined || message.status === status)
    .filter((message) => claimed_by === undefined || message.claimed_by === claimed_by)
    .filter((message) => reply_to === undefined || message.reply_to === reply_to)
    .filter(({ status }) => !unclaimed || status === "open");
  const shown = last === undefined ? matching.slice(0, limit) : matching.slice(-last);
  const cut = last === undefined && matching.length > limit;
  const link = cut ? { after: String(shown.at(-1)!.id) } : null;
  return { ...answer(room, shown.map((message) => shownMessage(room, message))), link };
}

/** Whether a message is at or below another. */
export function isWithin(room: Room, message: Message | undefined, thread: number): boolean {
  return message !== undefined &&
    (message.id === thread || isWithin(room, messageOf(room, message.reply_to ?? 0), thread));
}

export function messageOf({ messages }: Room, id: number): Message | undefined {
  return messages.find((message) => message.id === id);
}

export function getMessage(room: Room, which: Which): Expected {
  const message = messageOf(room, messageId(room, which));
  return message ? answer(room, shownMessage(room, message)) : refusal(room, 404, "message_not_found");
}
