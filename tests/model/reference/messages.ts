import { timeOf } from "./clock.ts";
import {
  answer,
  type Expected,
  type Message,
  messageId,
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
}

export interface MessageFilter {
  after?: number;
  kind?: string;
  from?: string;
  to?: string;
  thread?: number;
  unclaimed: boolean;
  limit?: number;
  last?: number;
}

export function post(room: Room, { from, to, kind = "message", body, reply_to }: NewMessage): Expected {
  recordHeartbeat(room, from);
  if (reply_to !== undefined && !room.messages.some(({ id }) => id === reply_to)) {
    return refusal(room, 404, "message_not_found");
  }
  const id = ++room.revision;
  const message: Message = {
    id,
    from_agent: from ?? null,
    to_agent: to ?? null,
    kind,
    body,
    created_at: timeOf(room.clock),
    reply_to: reply_to ?? null,
    claimed_by: null,
    claimed_at: null,
    changed: id,
  };
  room.messages.push(message);
  return answer(room, shownMessage(room, message), 201);
}

export function shownMessage(room: Room, { changed: _, ...message }: Message) {
  return { room_id: room.id, ...message };
}

export function listMessages(room: Room, filter: MessageFilter): Expected {
  const { after, kind, from, to, thread, unclaimed, limit = 100, last } = filter;
  const within = new Set<number>([thread ?? 0]);
  for (const { id, reply_to } of room.messages) if (within.has(reply_to ?? 0)) within.add(id);
  const matching = room.messages
    .filter(({ id }) => after === undefined || id > after)
    .filter((message) => kind === undefined || message.kind === kind)
    .filter(({ from_agent }) => from === undefined || from_agent === from)
    .filter(({ to_agent }) => to === undefined || to_agent === to)
    .filter(({ id }) => thread === undefined || isPosted(room, thread) && within.has(id))
    .filter(({ claimed_by }) => !unclaimed || claimed_by === null);
  const shown = last === undefined ? matching.slice(0, limit) : matching.slice(-last);
  const cut = last === undefined && matching.length > limit;
  const link = cut ? { after: String(shown.at(-1)!.id) } : null;
  return { ...answer(room, shown.map((message) => shownMessage(room, message))), link };
}

function isPosted({ messages }: Room, id: number): boolean {
  return messages.some((message) => message.id === id);
}

export function getMessage(room: Room, which: Which): Expected {
  const message = room.messages.find(({ id }) => id === messageId(room, which));
  return message ? answer(room, shownMessage(room, message)) : refusal(room, 404, "message_not_found");
}

export function claim(room: Room, which: Which, agent: string): Expected {
  recordHeartbeat(room, agent);
  const message = room.messages.find(({ id }) => id === messageId(room, which));
  if (!message) return refusal(room, 404, "message_not_found");
  const { claimed_by, claimed_at } = message;
  if (claimed_by !== null && claimed_by !== agent) {
    return refusal(room, 409, "already_claimed", { claimed: false, claimed_by, claimed_at });
  }
  if (claimed_by === null) {
    message.changed = ++room.revision;
    message.claimed_by = agent;
    message.claimed_at = timeOf(room.clock);
  }
  return answer(room, { claimed: true, claimed_by: agent, message_id: message.id });
}
