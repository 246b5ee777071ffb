import { z } from "zod";
import { ADDS_ONCE, READS } from "./annotations.ts";
import { answerOf, type Api, toResult, withMembers } from "./api.ts";
import { agent, ownMembers, repetition, room, tool, type Tools, type Way } from "./arguments.ts";
import { WAIT, type WaitFor } from "./waiting.ts";
import type { Named } from "./words.ts";

const LEAVING: Way = {
  name: "with `leave`, join",
  needs: ["room", "agent", "leave"],
  takes: ["idempotency_key"],
};

export function registerRoomTools(tools: Tools, api: Api, waitFor: WaitFor): void {
  tools.registerTool("join", {
    description: "Create or enter a room, register as an agent, and see the room; with leave, leave it.",
    inputSchema: tool({
      room: room.optional().describe("The room's id; without it a new room"),
      agent: agent.describe("Your id in this room"),
      name: z.string().optional().describe("Your name for people; by default your id"),
      role: z.string().optional().describe("Such as planner or worker; by default agent"),
      meta: ownMembers("Data of your own, such as your skills").optional(),
      if_new: z.boolean().optional().describe("Refuse an id that exists"),
      leave: z.boolean().optional().describe("true: your claims and reservations end"),
      idempotency_key: repetition,
    }, { wayOf: ({ leave }) => leave ? LEAVING : undefined }),
    annotations: ADDS_ONCE,
  }, async ({ room, agent, name = agent, leave, idempotency_key, ...profile }) => {
    if (leave) {
      const path = ["rooms", room!, "agents", agent];
      return toResult(await api.call("DELETE", path, { body: {}, key: idempotency_key }));
    }
    // Entering a named room is idempotent: only a new room needs the key.
    const key = room === undefined ? idempotency_key : undefined;
    const entered = await api.call("POST", ["rooms"], { body: { id: room }, key, named: idIs("room") });
    if (!entered.ok) return toResult(entered);
    const id = String(entered.body.id);
    const joined = await api.call("POST", ["rooms", id, "agents"], {
      body: { id: agent, name, ...profile },
      key: idempotency_key,
      named: idIs("agent"),
    });
    if (!joined.ok) return toResult(joined);
    const { ok, text } = await api.snapshot(id);
    const { created, replayed } = joined.body;
    return toResult(answerOf(ok, withMembers({ room: id, agent, created, replayed }, text)));
  });

  tools.registerTool("read_room", {
    description:
      "Show state, agents and message counts; with after or limit: what changed since a revision, in order.",
    inputSchema: tool({
      room,
      after: z.int().min(0).optional().describe("The last revision that you saw; 0: from the start"),
      limit: z.int().min(1).optional().describe("At most N changes; `more`: go on after `revision`"),
    }),
    annotations: READS,
  }, async ({ room, after, limit }) => {
    if (after === undefined && limit === undefined) return toResult(await api.snapshot(room));
    return toResult(await api.call("GET", ["rooms", room, "changes"], { query: { after, limit } }));
  });

  tools.registerTool("wait", {
    description: "Block until a CEL condition over the room is true, or time is up (triggered false).",
    inputSchema: tool(WAIT),
    annotations: READS,
  }, async ({ room, timeout_seconds, ...body }, context) =>
    toResult(
      await waitFor({
        room,
        agent: body.agent,
        seconds: timeout_seconds,
        ask: (timeout, signal) =>
          api.call("POST", ["rooms", room, "wait"], { body: { ...body, timeout }, signal }),
        isOver: ({ ok, body }) => !ok || body.triggered === true,
        nothing: { triggered: false },
      }, context),
    ));

  tools.registerTool("evaluate", {
    description: "Evaluate CEL over the room: state, agents, messages, self, now.",
    inputSchema: tool({
      room,
      expr: z.string().describe("CEL, such as agents.filter(id, agents[id].role == 'worker')"),
      agent: agent.optional(),
    }),
    annotations: READS,
  }, async ({ room, ...body }) => toResult(await api.call("POST", ["rooms", room, "eval"], { body })));
}

/** Maps the API's `id` to the tool's argument. */
function idIs(argument: string): Named {
  return (path) => path[0] === "id" ? [argument] : path;
}
