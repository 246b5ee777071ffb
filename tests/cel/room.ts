import { compile, type Context } from "../../cel/language/expression.ts";
import { toCel } from "../../cel/language/values.ts";
import type { Json } from "../../db/json.ts";

/** What a context is made of, as JSON. */
export interface Room {
  state?: { [scope: string]: { [key: string]: Json } };
  agents?: { [id: string]: { [field: string]: Json } };
  messages?: { count: number; unclaimed: number };
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
    ["messages", toCel({ ...(room.messages ?? { count: 0, unclaimed: 0 }) })],
    ["self", room.self ?? null],
    ["now", new Date(room.now ?? "2026-11-22T04:20:30.000Z")],
  ]);
}

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
