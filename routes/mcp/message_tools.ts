import { z } from "zod";
import { ADDS, ADDS_ONCE, READS } from "./annotations.ts";
import { type Api, toResult } from "./api.ts";
import { agent, repetition, room, someJson, tool, type Tools } from "./arguments.ts";

const message = z.int().min(1);

export function registerMessageTools(tools: Tools, api: Api): void {
  tools.registerTool(
    "post_message",
    {
      description: "Say something to the room; `to` is an address, everyone can read it.",
      inputSchema: tool({
        room,
        from: agent,
        body: someJson,
        to: z.string().optional().describe("An agent's id"),
        kind: z.string().optional().describe("Such as task, result, question; message by default"),
        reply_to: message.optional().describe("The id of the message that this answers"),
        idempotency_key: repetition,
      }, { from_agent: "from", to_agent: "to" }),
      annotations: ADDS,
    },
    async ({ room, idempotency_key: key, ...body }) =>
      toResult(await api.call("POST", ["rooms", room, "messages"], { body, key })),
  );

  tools.registerTool("list_messages", {
    description: "Messages by rising id. `more`: go on after the last id.",
    inputSchema: tool({
      room,
      after: z.int().min(0).optional().describe("Only ids above this one"),
      last: z.int().min(1).optional().describe("The newest so many"),
      limit: z.int().min(1).optional().describe("At most so many; 100 by default"),
      kind: z.string().optional().describe("Only this kind"),
      from: z.string().optional().describe("Only of this sender"),
      to: z.string().optional().describe("Only to this agent"),
      thread: z.int().min(0).optional().describe("This message and all replies below it"),
      unclaimed: z.boolean().optional().describe("true: only what nobody has claimed"),
    }),
    annotations: READS,
  }, async ({ room, ...query }) => toResult(await api.call("GET", ["rooms", room, "messages"], { query })));

  tools.registerTool(
    "claim_message",
    {
      description: "Take a task: exactly one agent ever gets it; others get already_claimed.",
      inputSchema: tool({
        room,
        message: message.describe("The id of the task's message"),
        agent,
        idempotency_key: repetition,
      }),
      annotations: ADDS_ONCE,
    },
    async ({ room, message, agent, idempotency_key: key }) =>
      toResult(
        await api.call("POST", ["rooms", room, "messages", message, "claim"], { body: { agent }, key }),
      ),
  );
}
