import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { type Api, toResult } from "./api.ts";
import { agent, gate, members, room, tool, version } from "./arguments.ts";

const place = { scope: z.string().optional().describe("_shared by default"), key: z.string() };

const write = members({
  ...place,
  value: z.unknown().optional().describe("Any JSON"),
  increment: z.union([z.boolean(), z.number()]).optional().describe("Add this instead of writing a value"),
  if_version: version.optional(),
  expr: z.string().optional().describe("CEL of a computed view, in scope _view"),
});

export function registerStateTools(server: McpServer, api: Api): void {
  server.registerTool(
    "get_state",
    {
      description: "One entry (key) or a list (of a scope, of a prefix, or all), with versions.",
      inputSchema: tool({
        room,
        scope: place.scope,
        key: z.string().optional(),
        prefix: z.string().optional(),
      }),
      annotations: { readOnlyHint: true },
    },
    async ({ room, ...query }) =>
      toResult(await api.call("GET", ["rooms", room, "state"], { query: { ...query, resolve: true } })),
  );

  server.registerTool("write_state", {
    description: "Write values, all or none. On version_conflict look at current and decide again.",
    inputSchema: tool({
      room,
      writes: z.array(write).min(1).max(LIMITS.batchWrites),
      if: gate.optional(),
      agent: agent.optional(),
    }),
  }, async ({ room, writes, ...rest }) => {
    const [first, ...others] = writes;
    const path = ["rooms", room, "state"];
    return toResult(
      others.length === 0
        ? await api.call("PUT", path, { body: { ...first, ...rest } })
        : await api.call("PUT", [...path, "batch"], { body: { writes, ...rest } }),
    );
  });

  server.registerTool("delete_state", {
    description: "Delete a key.",
    inputSchema: tool({
      room,
      ...place,
      if_version: version.optional(),
      if: gate.optional(),
      agent: agent.optional(),
    }),
    annotations: { destructiveHint: true },
  }, async ({ room, ...body }) => toResult(await api.call("DELETE", ["rooms", room, "state"], { body })));
}
