import { compile, type Context } from "../../cel/rooms/expression.ts";
import { toCel } from "../../cel/language/values.ts";
import type { Json } from "../../db/json.ts";
import type { MessageFacts } from "../../db/snapshots/message_facts.ts";
import type { Family } from "../../cel/language/families.ts";
import type { MessageCollection } from "../../cel/language/message_reads.ts";
import { type CelFacts, convertFacts, messageRoot } from "../../cel/rooms/message_root.ts";

/** What a context is made of, as JSON. */
export interface Room {
  state?: { [scope: string]: { [key: string]: Json } };
  agents?: { [id: string]: { [field: string]: Json } };
  messages?: { count: number; unclaimed: number };
  /** The facts about messages that are loaded; what else is asked for is noted in `missing`. */
  facts?: CelFacts;
  missing?: MessageCollection;
  self?: string | null;
  now?: string;
}

/** An agent's record. */
export function agent(id: string, fields: { [field: string]: Json } = {}) {
  return {
    id,
    name: id,
    role: "agent",
    meta: {},
    status: "active",
    waiting_on: null,
    joined_at: "2026-11-22T04:00:00.000Z",
    last_heartbeat: "2026-11-22T04:20:00.000Z",
    ...fields,
  };
}

/** A context over a room, as routes make it. */
export function contextOf(room: Room = {}): Context {
  return new Map<string, unknown>([
    ["state", toCel({ _shared: {}, _view: {}, ...room.state })],
    ["agents", toCel(room.agents ?? {})],
    ["messages", messagesOf(room)],
    ["self", room.self ?? null],
    ["now", new Date(room.now ?? "2026-11-22T04:20:30.000Z")],
  ]);
}

function messagesOf({ messages = { count: 0, unclaimed: 0 }, facts = NONE_LOADED, missing }: Room) {
  const ask = (family: Family, name: string | number) => missing?.name(family, name);
  return messageRoot(messages, facts, ask);
}

/** Facts about messages of which nothing was asked. */
export const NO_FACTS: MessageFacts = {
  last: undefined,
  kind: new Map(),
  to: new Map(),
  from: new Map(),
  id: new Map(),
};

/** Facts about messages as they are loaded. */
export const loaded = (facts: Partial<MessageFacts> = {}) => convertFacts({ ...NO_FACTS, ...facts });
export const NONE_LOADED = await loaded();

/** Compiles and evaluates, over `_shared` keys or a whole room. */
export function evaluate(source: string, shared: { [key: string]: Json } = {}, room: Room = {}): Json {
  return compile(source).evaluate(contextOf({ ...room, state: { _shared: shared, ...room.state } }));
}

/** What a function throws. */
// deno-lint-ignore no-explicit-any
export function thrown(action: () => unknown): any {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** A generator of numbers in [0, 1) that repeats for a seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
