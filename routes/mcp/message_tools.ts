import { z } from "zod";
import { MISSING } from "../http/input/wordings.ts";
import { ADDS, READS } from "./annotations.ts";
import { agent, anyJson, messageId, repetition, room } from "./arguments.ts";
import { partOf } from "./rest.ts";
import type { Tools } from "./tools.ts";

export function registerMessageTools(tools: Tools): void {
  tools.register("post_message", {
    description: "Post a message, or a task (kind task). `to` is an address: everyone can read it.",
    shape: {
      room,
      from: agent,
      body: anyJson("Any JSON; a text stays text").refine((value) => value !== undefined, MISSING),
      to: z.string().optional().describe("An agent's id"),
      kind: z.string().optional().describe("Such as task, question; message by default"),
      reply_to: messageId.optional().describe("The message that it answers"),
      needs: z.array(messageId).optional()
        .describe("Ids of tasks that must be done first"),
      max_attempts: z.int().min(1).optional().describe("Claims before it fails"),
      idempotency_key: repetition,
    },
    others: { from_agent: "from", to_agent: "to" },
    actorOf: () => "from",
    callerOf: ({ from }) => from,
    annotations: ADDS,
    // The recipient may wait for what it has written, and who has a token was named by who made it.
    isOwn: ({ from, to }) => from !== undefined && to === undefined,
    rest: "It was posted.",
    act: ({ room, idempotency_key: key, ...body }, { api }) =>
      api.call("POST", ["rooms", room, "messages"], { body, key }),
  });

  tools.register("list_messages", {
    description: "List messages by rising id. `more`: go on after the last id.",
    shape: {
      room,
      after: z.int().min(0).optional().describe("Ids above it"),
      last: z.int().min(1).optional().describe("The newest N"),
      limit: z.int().min(1).optional().describe("At most N; 100 by default"),
      kind: z.string().optional().describe("Of this kind"),
      from: z.string().optional().describe("Of this sender"),
      to: z.string().optional().describe("To this agent"),
      thread: z.int().min(0).optional().describe("A message and its replies"),
      status: z.string().optional().describe("open, blocked, claimed, done or failed"),
      claimed_by: z.string().optional().describe("What this agent has or had"),
      unclaimed: z.boolean().optional().describe("true: what is open"),
    },
    annotations: READS,
    rest: ({ last }) =>
      (last === undefined
        ? "The rest: list_messages with the same filters and after = the last id here."
        : "Those before: list_messages with after = a lower id, without last.") +
      ` Of a long body: ${partOf("messages.id[7].body")}.`,
    act({ room, limit, last, ...query }, { api }) {
      const list = (bound: object) =>
        api.call("GET", ["rooms", room, "messages"], { query: { ...query, ...bound } });
      if (last === undefined) return api.list((limit) => list({ limit }), limit);
      return api.list((last) => list({ last, limit }), last);
    },
  });
}
