import { z } from "zod";
import { ADDS } from "./annotations.ts";
import { agent, repetition, room, type Way } from "./arguments.ts";
import type { Tools } from "./tools.ts";
import { seconds } from "./waiting.ts";

const WAYS: Record<string, { needs: string[]; takes: string[]; one?: string }> = {
  reserve: {
    needs: ["paths"],
    takes: ["agent", "mode", "ttl", "note", "timeout_seconds", "idempotency_key"],
  },
  list: { needs: [], takes: ["agent", "paths"], one: "paths" },
  renew: { needs: ["reservation", "fence", "ttl"], takes: ["agent", "idempotency_key"] },
  end: { needs: ["reservation"], takes: ["agent", "fence", "idempotency_key"] },
};

function wayOf({ action }: { action: string }): Way {
  const { needs, takes, one } = WAYS[action]!;
  return { name: `action ${action}`, needs: ["room", ...needs], takes: ["action", ...takes], one };
}

export function registerReservationTools(tools: Tools): void {
  tools.register("reserve_paths", {
    description:
      "Tell others which paths you work on. One in conflict is refused (reserved), or waited for. " +
      "It ends after `ttl` seconds.",
    shape: {
      room,
      action: z.enum(["reserve", "list", "renew", "end"]).default("reserve").describe("What to do"),
      reservation: z.string().optional().describe("Its id, for renew and end"),
      agent,
      paths: z.array(z.string()).min(1).optional()
        .describe("Globs such as src/**; all or none. list takes one"),
      mode: z.enum(["exclusive", "shared"]).optional().describe("shared: conflicts with exclusive alone"),
      ttl: z.int().min(1).optional().describe("Seconds; 900 by default"),
      note: z.string().optional().describe("Why, for others to read"),
      timeout_seconds: seconds.optional().describe("0 by default"),
      fence: z.int().min(1).optional().describe("Its fence, for renew and end"),
      idempotency_key: repetition,
    },
    wayOf,
    actorOf: ({ action }) => action === "list" ? undefined : "agent",
    callerOf: ({ action, agent }) => action === "list" ? undefined : agent,
    annotations: ADDS,
    rest: "Ask for less: list with agent, or with one path.",
    async act({ room, action, reservation, timeout_seconds = 0, idempotency_key: key, ...body }, call) {
      const { api, waitFor } = call;
      const path = ["rooms", room, "reservations"];
      const { agent, paths } = body;
      switch (action) {
        case "list":
          return await api.call("GET", path, { query: { agent, path: paths?.[0] } });
        case "renew":
          return await api.call("POST", [...path, reservation!, "renew"], { body, key });
        case "end":
          return await api.call("DELETE", [...path, reservation!], { body, key });
      }
      return await waitFor({
        room,
        agent,
        seconds: timeout_seconds,
        keyed: key !== undefined,
        ask: (timeout, signal) => api.call("POST", path, { body: { ...body, timeout }, key, signal }),
        isOver: ({ ok, body }) => ok || body.error !== "reserved",
        nothing: { reserved: false },
      });
    },
  });
}
