import fc from "fast-check";
import type { Action, Model, Write } from "./model.ts";
import { read, source } from "./model.ts";

export interface Request {
  method: string;
  path: string;
  body?: unknown;
}

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 2 });
const key = fc.constantFrom("a", "ab", "b");
const scope = fc.constantFrom("_shared", "_shared", "ann");
const agent = fc.constantFrom("ann", "bob");
const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom("5", "text", null));
const version = optional(fc.nat(4));
const index = fc.nat(4);
const gate = fc.record({ key, equals: fc.integer({ min: 0, max: 2 }) });
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ scope, key, value, if_version: version }),
  fc.record({ scope, key, increment: fc.integer({ min: -2, max: 2 }), if_version: version }),
);

/** Few keys, values and versions, so that actions meet each other. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), write, gate: optional(gate) }),
  fc.record({
    kind: fc.constant("batch" as const),
    writes: fc.array(write, { minLength: 1, maxLength: 4 }),
    gate: optional(gate),
  }),
  fc.record({ kind: fc.constant("delete" as const), scope, key, if_version: version, gate: optional(gate) }),
  fc.record({ kind: fc.constant("view" as const), key, of: key }),
  fc.record({
    kind: fc.constant("read" as const),
    scope: fc.constantFrom("_shared", "_view", "ann"),
    key,
    resolve: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("list" as const),
    scope: optional(fc.constantFrom("_shared", "_view", "ann")),
    since: optional(fc.nat(20)),
    prefix: optional(fc.constantFrom("a", "b", "A")),
  }),
  fc.record({ kind: fc.constant("post" as const), body: value, reply: optional(index) }),
  fc.record({
    kind: fc.constant("messages" as const),
    after: optional(fc.nat(20)),
    unclaimed: fc.boolean(),
    thread: optional(index),
  }),
  fc.record({ kind: fc.constant("claim" as const), message: index, agent }),
  fc.record({ kind: fc.constant("register" as const), agent }),
  fc.record({
    kind: fc.constant("heartbeat" as const),
    agent,
    status: fc.constantFrom("active", "idle", "busy", "waiting"),
  }),
  fc.record({ kind: fc.constant("eval" as const), gate }),
  fc.record({ kind: fc.constant("wait" as const), gate }),
);

/** The request that an agent would send; `model` knows the ids of the messages so far. */
export function requestOf(action: Action, room: string, model: Model): Request {
  const at = `/rooms/${room}`;
  const guard = "gate" in action && action.gate ? { if: source(action.gate) } : {};
  const query = (members: Record<string, unknown>) =>
    new URLSearchParams(
      Object.entries(members).filter(([, it]) => it !== undefined).map(([name, it]) => [name, String(it)]),
    );
  const id = (place: number | undefined) => place === undefined ? undefined : model.messageId(place);
  switch (action.kind) {
    case "put":
      return { method: "PUT", path: `${at}/state`, body: { ...action.write, ...guard } };
    case "batch":
      return { method: "PUT", path: `${at}/state/batch`, body: { writes: action.writes, ...guard } };
    case "delete": {
      const { scope, key, if_version } = action;
      return { method: "DELETE", path: `${at}/state`, body: { scope, key, if_version, ...guard } };
    }
    case "view":
      return {
        method: "PUT",
        path: `${at}/state`,
        body: { scope: "_view", key: action.key, expr: read(action.of) },
      };
    case "read": {
      const { scope, key, resolve } = action;
      return { method: "GET", path: `${at}/state?${query({ scope, key, resolve })}` };
    }
    case "list": {
      const { scope, since, prefix } = action;
      return { method: "GET", path: `${at}/state?${query({ scope, since, prefix })}` };
    }
    case "post":
      return {
        method: "POST",
        path: `${at}/messages`,
        body: { body: action.body, reply_to: id(action.reply) },
      };
    case "messages": {
      const { after, unclaimed } = action;
      return {
        method: "GET",
        path: `${at}/messages?${query({ after, unclaimed, thread: id(action.thread) })}`,
      };
    }
    case "claim":
      return {
        method: "POST",
        path: `${at}/messages/${model.messageId(action.message)}/claim`,
        body: { agent: action.agent },
      };
    case "register":
      return { method: "POST", path: `${at}/agents`, body: { id: action.agent, name: action.agent } };
    case "heartbeat":
      return {
        method: "POST",
        path: `${at}/agents/${action.agent}/heartbeat`,
        body: { status: action.status },
      };
    case "eval":
      return { method: "POST", path: `${at}/eval`, body: { expr: source(action.gate) } };
    case "wait":
      return { method: "GET", path: `${at}/wait?${query({ condition: source(action.gate), timeout: 0 })}` };
  }
}
