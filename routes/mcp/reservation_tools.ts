import { z } from "zod";
import { ADDS } from "./annotations.ts";
import { type Api, toResult } from "./api.ts";
import { agent, repetition, room, tool, type Tools, type Way } from "./arguments.ts";
import { seconds, type WaitFor } from "./waiting.ts";

const WAYS: Record<string, { needs: string[]; takes: string[]; one?: string }> = {
  reserve: {
    needs: ["agent", "paths"],
    takes: ["mode", "ttl", "note", "timeout_seconds", "idempotency_key"],
  },
  list: { needs: [], takes: ["agent", "paths"], one: "paths" },
  renew: { needs: ["agent", "reservation", "fence", "ttl"], takes: ["idempotency_key"] },
  end: { needs: ["agent", "reservation"], takes: ["fence", "idempotency_key"] },
};

function wayOf({ action }: { action: string }): Way {
  const { needs, takes, one } = WAYS[action]!;
  return { name: `action ${action}`, needs: ["room", ...needs], takes: ["action", ...takes], one };
}

export function registerReservationTools(tools: Tools, api: Api, waitFor: WaitFor): void {
  tools.registerTool("reserve_paths", {
    description:
      "Tell others which paths you work on. A reservation in conflict is refused (reserved), or waited for. " +
      "It ends by itself after `ttl` seconds.",
    inputSchema: tool({
      room,
      action: z.enum(["reserve", "list", "renew", "end"]).default("reserve").describe("What to do"),
      reservation: z.string().optional().describe("Its id, for renew and end"),
      agent: agent.optional(),
      paths: z.array(z.string()).min(1).optional()
        .describe("Globs such as src/**; all or none. list takes one, to find who covers it"),
      mode: z.enum(["exclusive", "shared"]).optional().describe("shared: conflicts with exclusive alone"),
      ttl: z.int().min(1).optional().describe("Seconds; 900 by default"),
      note: z.string().optional().describe("Why, for others to read"),
      timeout_seconds: seconds.optional().describe("How long to wait until the paths are free; 0 by default"),
      fence: z.int().min(1).optional().describe("The reservation's fence, for renew and end"),
      idempotency_key: repetition,
    }, { wayOf }),
    annotations: ADDS,
  }, async ({ room, action, reservation, timeout_seconds = 0, idempotency_key: key, ...body }, context) => {
    const path = ["rooms", room, "reservations"];
    const { agent, paths } = body;
    switch (action) {
      case "list":
        return toResult(await api.call("GET", path, { query: { agent, path: paths?.[0] } }));
      case "renew":
        return toResult(await api.call("POST", [...path, reservation!, "renew"], { body, key }));
      case "end":
        return toResult(await api.call("DELETE", [...path, reservation!], { body, key }));
    }
    return toResult(
      await waitFor({
        room,
        agent,
        seconds: timeout_seconds,
        keyed: key !== undefined,
        ask: (timeout, signal) => api.call("POST", path, { body: { ...body, timeout }, key, signal }),
        isOver: ({ ok, body }) => ok || body.error !== "reserved",
        nothing: { reserved: false },
      }, context),
    );
  });
}
