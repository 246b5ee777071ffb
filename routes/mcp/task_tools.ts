import { z } from "zod";
import { LIMITS } from "../http/limits.ts";
import { ADDS } from "./annotations.ts";
import { type Api, toResult } from "./api.ts";
import { agent, anyJson, messageId, repetition, room, tool, type Tools, type Way } from "./arguments.ts";
import { seconds, type WaitFor } from "./waiting.ts";

const ONE: Way = {
  name: "with `message`, take_task",
  needs: ["room", "agent", "message"],
  takes: ["ttl", "idempotency_key"],
};

const OUTCOMES = {
  complete: { takes: ["fence", "result"] },
  fail: { takes: ["fence", "error"] },
  release: { takes: ["fence", "error"] },
  renew: { needs: ["fence", "ttl"], takes: [] },
};
type Outcome = keyof typeof OUTCOMES;

function wayOfOutcome(outcome: Outcome): Way {
  const { needs = [], takes }: { needs?: string[]; takes: string[] } = OUTCOMES[outcome];
  return {
    name: `outcome ${outcome}`,
    needs: ["room", "agent", "message", "outcome", ...needs],
    takes: [...takes, "idempotency_key"],
  };
}

export function registerTaskTools(tools: Tools, api: Api, waitFor: WaitFor): void {
  tools.registerTool("take_task", {
    description:
      "Take the oldest open task that fits, waiting for one. Nobody else gets it until `ttl` ends; keep its `fence`.",
    inputSchema: tool({
      room,
      message: messageId.optional().describe("Take this one, by its id, without waiting"),
      agent,
      kind: z.string().optional().describe("Only this kind; by default any but message, result, ask"),
      where: z.string().optional().describe("CEL over `message` and the room: message.body.priority > 1"),
      from: z.string().optional().describe("Only of this sender"),
      to: z.string().optional().describe("Only to this agent; by default to nobody or to you"),
      thread: z.int().min(0).optional().describe("Only this message and all replies below it"),
      after: z.int().min(0).optional().describe(
        "Only ids above this one, such as an answer's `next`",
      ),
      ttl: z.int().min(1).optional().describe(
        "Seconds until others may get it; 300 by default. Renew in time",
      ),
      timeout_seconds: seconds.optional().describe(
        `How long to wait; ${LIMITS.toolWaitSeconds} by default`,
      ),
      idempotency_key: repetition,
    }, { wayOf: ({ message }) => message === undefined ? undefined : ONE }),
    annotations: ADDS,
  }, async ({ room, message, timeout_seconds, idempotency_key: key, ...asked }, context) => {
    const messages = ["rooms", room, "messages"];
    if (message !== undefined) {
      const body = { agent: asked.agent, ttl: asked.ttl ?? LIMITS.takenSeconds };
      return toResult(await api.call("POST", [...messages, message, "claim"], { body, key }));
    }
    const waited = {
      room,
      agent: asked.agent,
      seconds: timeout_seconds ?? LIMITS.toolWaitSeconds,
      keyed: key !== undefined,
      nothing: { claimed: false },
    };
    return toResult(
      await waitFor({
        ...waited,
        ask: (timeout, signal) =>
          api.call("POST", [...messages, "claim"], { body: { ...asked, timeout }, key, signal }),
        isOver: ({ ok, body }) => !ok || body.claimed === true || body.more === true,
      }, context),
    );
  });

  tools.registerTool(
    "finish_task",
    {
      description:
        "End your claim: complete, fail (for good), release (others may take it), or renew it for `ttl` more seconds. " +
        "After lease_lost drop the work. Without a claim, fail withdraws a task that you posted.",
      inputSchema: tool({
        room,
        message: messageId.describe("The task's id"),
        agent,
        outcome: z.enum(["complete", "fail", "release", "renew"]).describe("What becomes of it"),
        fence: z.int().min(1).optional().describe("The claim's fence, as take_task gave it"),
        result: anyJson("Of complete: any JSON, posted as the reply of kind result").optional(),
        error: z.string().optional().describe("Of fail and release: what went wrong"),
        ttl: z.int().min(1).optional().describe("Of renew: seconds from now"),
        idempotency_key: repetition,
      }, { wayOf: ({ outcome }) => wayOfOutcome(outcome) }),
      annotations: ADDS,
    },
    async ({ room, message, outcome, idempotency_key: key, ...body }) =>
      toResult(await api.call("POST", ["rooms", room, "messages", message, outcome], { body, key })),
  );
}
