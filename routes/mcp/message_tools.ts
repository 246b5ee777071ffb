import { z } from "zod";
import { LIMITS } from "../http/limits.ts";
import { MISSING } from "../http/input/wordings.ts";
import { ADDS, READS } from "./annotations.ts";
import { type Api, toResult } from "./api.ts";
import { agent, anyJson, messageId, repetition, room, tool, type Tools } from "./arguments.ts";

export function registerMessageTools(tools: Tools, api: Api): void {
  tools.registerTool(
    "post_message",
    {
      description:
        "Say something to the room, or post a task (kind task). `to` is an address: everyone can read it.",
      inputSchema: tool({
        room,
        from: agent,
        body: anyJson("Any JSON; a text stays text").refine((value) => value !== undefined, MISSING),
        to: z.string().optional().describe("An agent's id"),
        kind: z.string().optional().describe("Such as task, result, question; message by default"),
        reply_to: messageId.optional().describe("The id of the message that this answers"),
        needs: z.array(messageId).max(LIMITS.needs).optional()
          .describe("Ids of tasks that must be done first"),
        max_attempts: z.int().min(1).optional().describe("How often it may be claimed before it fails"),
        idempotency_key: repetition,
      }, { others: { from_agent: "from", to_agent: "to" } }),
      annotations: ADDS,
    },
    async ({ room, idempotency_key: key, ...body }) =>
      toResult(await api.call("POST", ["rooms", room, "messages"], { body, key })),
  );

  tools.registerTool("list_messages", {
    description: "List messages by rising id. `more`: go on after the last id.",
    inputSchema: tool({
      room,
      after: z.int().min(0).optional().describe("Only ids above this one"),
      last: z.int().min(1).optional().describe("The newest N"),
      limit: z.int().min(1).optional().describe("At most N; 100 by default"),
      kind: z.string().optional().describe("Only this kind"),
      from: z.string().optional().describe("Only of this sender"),
      to: z.string().optional().describe("Only to this agent"),
      thread: z.int().min(0).optional().describe("This message and all replies below it"),
      status: z.string().optional().describe("open, blocked, claimed, done or failed"),
      claimed_by: z.string().optional().describe("Only what this agent holds or finished"),
      unclaimed: z.boolean().optional().describe("true: only what is open"),
    }),
    annotations: READS,
  }, async ({ room, ...query }) => toResult(await api.call("GET", ["rooms", room, "messages"], { query })));
}
