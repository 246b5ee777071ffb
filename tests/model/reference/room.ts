import { type Clock, type Time, timeOf } from "./clock.ts";

/**
 * A room as docs/api.md has it, written down a second time and as simply as it can be. What lies in this folder imports
 * nothing from the sources.
 */
export type Value = number | string | boolean | null | Value[] | { [name: string]: Value };
/** What a computed view is: a key or 0, a key that must be there, another view, a count of messages. */
export type View = { of: string } | { strict: string } | { view: string } | {
  messages: "count" | "unclaimed";
};

export interface Entry {
  scope: string;
  key: string;
  value: Value;
  view?: View;
  version: number;
  /** The revision at which it changed. */
  changed: number;
  deleted: boolean;
  updated_at: Time;
  updated_by: string | null;
  /** When it is deleted, in milliseconds. */
  until: number | null;
}

/** A claim of a message, and how it ended. */
export interface Attempt {
  fence: number;
  agent: string;
  claimed_at: Time;
  ended_at: Time | null;
  ended: "completed" | "released" | "failed" | "expired" | null;
  error: Value;
  /** Whether `error` was given. */
  explained: boolean;
  /** Whether it was to end by itself when it ended. */
  leased: boolean;
}

export interface Message {
  id: number;
  from_agent: string | null;
  to_agent: string | null;
  kind: string;
  body: Value;
  created_at: Time;
  reply_to: number | null;
  status: "open" | "blocked" | "claimed" | "done" | "failed";
  claimed_by: string | null;
  claimed_at: Time | null;
  /** When its claim ends, in milliseconds. */
  until: number | null;
  fence: number | null;
  attempts: Attempt[];
  max_attempts: number | null;
  needs: number[];
  done_at: Time | null;
  result_id: number | null;
  failure: { reason: string; error?: Value; message?: number } | null;
  changed: number;
}

export interface Reservation {
  /** Learned from the answer. */
  id: string;
  agent: string;
  paths: string[];
  mode: "exclusive" | "shared";
  note: Value;
  fence: number;
  created_at: Time;
  /** When it ends, in milliseconds. */
  until: number;
  ended: boolean;
  changed: number;
}

export interface Agent {
  id: string;
  name: string;
  role: string;
  meta: unknown;
  status: string;
  joined_at: Time;
  /** Milliseconds; NaN where it is not determined. */
  last_heartbeat: number;
  changed: number;
}

/** An agent that left and has not come back. */
export interface Departed {
  id: string;
  changed: number;
}

/** A wait in progress, as others see it until its lease ends. */
export interface Mark {
  agent: string;
  waiting_on: string;
  until: number;
}

/** What a request must be answered. Only what is given is compared. */
export interface Expected {
  status: number;
  body?: unknown;
  /** Undefined: any, or none. */
  revision?: number;
  /** What the link to the next page adds to the request; null: there is no such link. */
  link?: Record<string, string> | null;
  etag?: number;
  /** What the pattern finds in a piece of a page, and how many things the piece says are left out before it. */
  pieces?: { pattern: RegExp; found: string[] };
  older?: number;
  /** Takes from the answer what the service alone decides. */
  // deno-lint-ignore no-explicit-any -- a body is looked into, not typed
  learn?(body: any): void;
}

export interface Room {
  id: string;
  meta: unknown;
  /** The revision at which it changed, 0 before that. */
  metaChanged: number;
  created_at: Time;
  clock: Clock;
  revision: number;
  entries: Map<string, Entry>;
  messages: Message[];
  /** In order of joining. */
  agents: Map<string, Agent>;
  departed: Departed[];
  /** Those whose waits are to end, since they have just left. */
  leaving: string[];
  /** In order of their waits. */
  marks: Mark[];
  /** All that were made, those that ended among them. */
  reservations: Reservation[];
}

export function createRoom(id: string, meta: unknown, clock: Clock): Room {
  return {
    id,
    meta,
    metaChanged: 0,
    created_at: timeOf(clock),
    clock,
    revision: 0,
    entries: new Map(),
    messages: [],
    agents: new Map(),
    departed: [],
    leaving: [],
    marks: [],
    reservations: [],
  };
}

/** Answers about the room as it stands. */
export function answer(room: Room, body: unknown, status = 200): Expected {
  return { status, body, revision: room.revision };
}

export function refusal(room: Room, status: number, error: string, members = {}): Expected {
  return { status, body: { error, ...members }, revision: room.revision };
}

/** The message that a command means: the nth from the newest, or the one of an id, which may be another room's. */
export type Which = { nth: number } | { id: number };

/** Its id; one that no message has where there is none. */
export function messageId(room: Room | undefined, which: Which): number {
  if ("id" in which) return which.id;
  const messages = room?.messages ?? [];
  return messages.at(-1 - which.nth % messages.length)?.id ?? 1_000_000;
}

export function present(room: Room, scope: string, key: string, among = room.entries): Entry | undefined {
  const entry = among.get(`${scope}/${key}`);
  return entry?.deleted ? undefined : entry;
}

/** What is told to who acts as an agent that is not registered. */
export function noticeTo(room: Room, agent: string): { notice?: string } {
  return room.agents.has(agent) ? {} : { notice: "agent_not_registered" };
}

/** How long a mark stays that its wait has left. */
export const STAYS_MS = 5_000;

/** How much sooner it counts as left: no two steps of a run are so close. */
const EARLY_MS = 50;

/** Whether the wait of a mark is over, by its lease. */
export function isLeft({ clock }: Room, { until }: Mark): boolean {
  return until > 0 && until <= clock.now + STAYS_MS + EARLY_MS;
}

/** The heartbeat of whoever acts, where it is registered. It ends what its waits have left, but what it takes over. */
export function recordHeartbeat(room: Room, agent: string | undefined, taken?: Mark): void {
  const registered = agent === undefined ? undefined : room.agents.get(agent);
  if (!registered) return;
  registered.last_heartbeat = room.clock.now;
  for (const mark of marksOf(room, registered.id)) if (mark !== taken && isLeft(room, mark)) mark.until = 0;
}

/** The marks that show; one whose time is 0 ends as soon as somebody looks. */
export function marksOf(room: Room, agent: string): Mark[] {
  return room.marks.filter((mark) => mark.agent === agent && mark.until > 0);
}

export function statusOf(room: Room, agent: Agent): { status: string; waiting_on: string | null } {
  const newest = marksOf(room, agent.id).at(-1);
  return newest
    ? { status: "waiting", waiting_on: newest.waiting_on }
    : { status: agent.status, waiting_on: null };
}
