import type { McpServer, ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { type Answer, answerOf, type Api, toResult, withMembers } from "./api.ts";
import { agent, room, tool } from "./arguments.ts";

/** Milliseconds by which a wait may seem to end early, as clocks are. */
const EARLY_MS = 500;

const WAIT = {
  room,
  condition: z.string().describe('CEL, such as state._shared.turn == self or agents["bob"].status == "idle"'),
  agent: agent.optional(),
  timeout_seconds: z.int().min(0).max(LIMITS.mostToolWaitSeconds).default(LIMITS.toolWaitSeconds),
  include: z.array(z.string()).max(LIMITS.includeFields).optional()
    .describe("state, state.<scope>, agents, messages, messages:after:<id>, changes:after:<revision>"),
};
type WaitArguments = z.infer<z.ZodObject<typeof WAIT>>;

export function registerRoomTools(server: McpServer, api: Api): void {
  server.registerTool("join", {
    description: "Create a room or enter it, and register as an agent. Shows the room.",
    inputSchema: tool({
      room: room.optional().describe("Left out: a new room"),
      agent: agent.describe("Your id in this room"),
      name: z.string().optional(),
      role: z.string().optional(),
      meta: z.record(z.string(), z.unknown()).optional(),
      if_new: z.boolean().optional().describe("Refuse an id that is there already"),
    }),
  }, async ({ room, agent, name = agent, ...profile }) => {
    const entered = await api.call("POST", ["rooms"], { body: { id: room } });
    if (!entered.ok) return toResult(entered);
    const id = String(entered.body.id);
    const joined = await api.call("POST", ["rooms", id, "agents"], { body: { id: agent, name, ...profile } });
    if (!joined.ok) return toResult(joined);
    const { ok, text } = await api.snapshot(id);
    const { created } = joined.body;
    return toResult(answerOf(ok, withMembers({ room: id, agent, created }, text)));
  });

  server.registerTool("read_room", {
    description:
      "The room's state, agents and message counts; with after, all that changed since a revision.",
    inputSchema: tool({ room, after: z.int().min(0).optional(), limit: z.int().min(1).optional() }),
    annotations: { readOnlyHint: true },
  }, async ({ room, after, limit }) => {
    if (after === undefined) return toResult(await api.snapshot(room));
    return toResult(await api.call("GET", ["rooms", room, "changes"], { query: { after, limit } }));
  });

  server.registerTool("wait", {
    description: "Block until a CEL condition over the room is true, or time is up (triggered false).",
    inputSchema: tool(WAIT),
    annotations: { readOnlyHint: true },
  }, async (wait, context) => toResult(await waitFor(api, wait, context)));

  server.registerTool("evaluate", {
    description: "The value of a CEL expression over the room: state, agents, messages, self, now.",
    inputSchema: tool({ room, expr: z.string(), agent: agent.optional() }),
    annotations: { readOnlyHint: true },
  }, async ({ room, ...body }) => toResult(await api.call("POST", ["rooms", room, "eval"], { body })));
}

/** Waits again and again within one call, and says in between that it does where the client wants to know. */
async function waitFor(
  api: Api,
  { room, timeout_seconds, ...body }: WaitArguments,
  { mcpReq: { signal, notify, _meta } }: ServerContext,
): Promise<Answer> {
  const began = performance.now();
  const progressToken = _meta?.progressToken;
  const most = progressToken === undefined ? LIMITS.waitMs : LIMITS.progressMs;
  for (;;) {
    const elapsed = performance.now() - began;
    if (progressToken !== undefined) {
      const params = { progressToken, progress: Math.round(elapsed / 1_000), total: timeout_seconds };
      await notify({ method: "notifications/progress", params: { ...params, message: "waiting" } });
    }
    const timeout = Math.max(0, Math.min(most, Math.round(timeout_seconds * 1_000 - elapsed)));
    const answer = await api.call("POST", ["rooms", room, "wait"], { body: { ...body, timeout }, signal });
    if (!answer.ok || answer.body.triggered) return answer;
    const waited = Math.round(performance.now() - began);
    // A wait that ends before its time was told to: the instance is about to stop.
    const cut = Number(answer.body.elapsed_ms) < timeout - EARLY_MS;
    if (cut || waited >= timeout_seconds * 1_000) {
      return answerOf(true, JSON.stringify({ ...answer.body, elapsed_ms: waited }));
    }
  }
}
