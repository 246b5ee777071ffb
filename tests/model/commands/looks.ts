import fc from "fast-check";
import { type Condition, source, textOf } from "../reference/conditions.ts";
import { evaluate, listChanges, wait } from "../reference/looks.ts";
import { agent, command, condition, limit, optional, query, revision, view } from "./command.ts";

const include = fc.tuple(
  fc.subarray(["state", "state._shared", "state._view", "state.ann", "agents", "messages"]),
  optional(revision.map((id) => `messages:after:${id}`)),
  optional(revision.map((id) => `changes:after:${id}`)),
).map(([fields, ...lists]) => [...fields, ...lists.filter((list) => list !== undefined)]);

interface Wait {
  condition: Condition;
  agent?: string;
  timeout: number;
}

/** Leaves out what is not determined: whether others see a short wait, whether it counts as its own heartbeat. */
function determined<Drawn extends Wait>({ condition, agent, timeout, ...rest }: Drawn) {
  const self = "alive" in condition ? undefined : agent;
  return { ...rest, condition, agent: self, timeout: self === undefined ? timeout : 0 };
}

export const lookCommands = [
  command(
    "changes",
    { after: optional(revision), limit: optional(limit) },
    (asked) => ({ method: "GET", path: `/changes${query(asked)}` }),
    (asked, room) => listChanges(room, asked),
  ),
  command(
    "eval",
    { asked: fc.oneof(condition, view), agent: optional(agent) },
    ({ asked, agent }) => ({ method: "POST", path: "/eval", body: { expr: textOf(asked), agent } }),
    ({ asked, agent }, room) => evaluate(room, asked, agent),
  ),
  command(
    "wait",
    {
      condition,
      agent: optional(agent),
      include: optional(include),
      timeout: fc.constantFrom(0, 0, 3),
      body: fc.boolean(),
    },
    (drawn) => {
      const { condition, agent, timeout, include, body } = determined(drawn);
      const asked = { condition: source(condition), agent, timeout };
      if (body) return { method: "POST", path: "/wait", body: { ...asked, include } };
      return { method: "GET", path: `/wait${query({ ...asked, include: include?.join() })}` };
    },
    (drawn, room) => {
      const { condition, agent, include = [] } = determined(drawn);
      return wait(room, { condition, agent, include });
    },
  ),
];
