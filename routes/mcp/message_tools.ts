import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { type Api, toResult } from "./api.ts";
import { agent, room, tool } from "./arguments.ts";

export function registerMessageTools(server: McpServer, api: Api): void {
  server.registerTool("post_message", {
    description: "Say something to the room; `to` is an address, everyone can read it.",
    inputSchema: tool({
      room,
      from: agent,
      body: z.unknown().describe("Any JSON"),
      to: agent.optional(),
      kind: z.string().optional().describe("Such as task, result, question; message by default"),
      reply_to: z.int().optional(),
    }, { from_agent: "from", to_agent: "to" }),
  }, async ({ room, ...body }) => toResult(await api.call("POST", ["rooms", room, "messages"], { body })));

  server.registerTool("list_messages", {
    description: "Messages by rising id. `more`: go on after the last id.",
    inputSchema: tool({
      room,
      after: z.int().min(0).optional(),
      last: z.int().min(1).optional().describe("The newest so many"),
      limit: z.int().min(1).optional(),
      kind: z.string().optional(),
      from: z.string().optional(),
      to: z.string().optional(),
      thread: z.int().optional().describe("This message and all replies below it"),
      unclaimed: z.boolean().optional(),
    }),
    annotations: { readOnlyHint: true },
  }, async ({ room, ...query }) => toResult(await api.call("GET", ["rooms", room, "messages"], { query })));

  server.registerTool(
    "claim_message",
    {
      description: "Take a task: exactly one agent ever gets it; others get already_claimed.",
      inputSchema: tool({ room, message: z.int(), agent }),
    },
    async ({ room, message, agent }) =>
      toResult(await api.call("POST", ["rooms", room, "messages", message, "claim"], { body: { agent } })),
  );
}
