import { z } from "zod";
import { LIMITS } from "../http/limits.ts";
import { ADDS } from "./annotations.ts";
import type { Answer } from "./api.ts";
import { agent, anyJson, messageId, repetition, room, type Way } from "./arguments.ts";
import { partOf } from "./rest.ts";
import type { Tools } from "./tools.ts";
import { seconds } from "./waiting.ts";

const ONE: Way = {
  name: "with `message`, take_task",
  needs: ["room", "message"],
  takes: ["agent", "ttl", "idempotency_key"],
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
    needs: ["room", "message", "outcome", ...needs],
    takes: ["agent", ...takes, "idempotency_key"],
  };
}

export function registerTaskTools(tools: Tools): void {
  tools.register("take_task", {
    description:
      "Take the oldest open task that fits, waiting for one. Nobody else gets it until `ttl` ends; keep its `fence`.",
    shape: {
      room,
      message: messageId.optional().describe("Take this one, without waiting"),
      agent,
      kind: z.string().optional().describe("By default any but message, result, ask"),
      where: z.string().optional().describe("CEL over the room and `message`: message.body.n > 1"),
      from: z.string().optional().describe("Of this sender"),
      to: z.string().optional().describe("To this agent; by default to nobody or you"),
      thread: z.int().min(0).optional().describe("A message and its replies"),
      after: z.int().min(0).optional().describe(
        "Ids above it, such as an answer's `next`",
      ),
      ttl: z.int().min(1).optional().describe(
        "Seconds it is yours; 300 by default",
      ),
      timeout_seconds: seconds.optional().describe(
        `How long to wait; ${LIMITS.toolWaitSeconds} by default`,
      ),
      idempotency_key: repetition,
    },
    wayOf: ({ message }) => message === undefined ? undefined : ONE,
    actorOf: () => "agent",
    annotations: ADDS,
    rest: `It is yours. Its body: ${partOf("messages.id[7].body")}.`,
    async act({ room, message, timeout_seconds, idempotency_key: key, ...asked }, { api, waitFor }) {
      const messages = ["rooms", room, "messages"];
      if (message !== undefined) {
        const body = { agent: asked.agent, ttl: asked.ttl ?? LIMITS.takenSeconds };
        return await api.call("POST", [...messages, message, "claim"], { body, key });
      }
      const take = (timeout: number, signal: AbortSignal) =>
        api.call("POST", [...messages, "claim"], { body: { ...asked, timeout }, key, signal });
      const isOver = ({ ok, body }: Answer) => !ok || body.claimed === true || body.more === true;
      // A take says that there is more to look at when its time is over. Requests under a key are all the same.
      const looks = key === undefined &&
        [asked.where, asked.from, asked.thread].some((each) => each !== undefined);
      return await waitFor({
        room,
        agent: asked.agent,
        seconds: timeout_seconds ?? LIMITS.toolWaitSeconds,
        keyed: key !== undefined,
        nothing: { claimed: false },
        async ask(timeout, signal) {
          const found = looks && timeout > 0 ? await take(0, signal) : undefined;
          return found && (found.text === "" || isOver(found)) ? found : await take(timeout, signal);
        },
        isOver,
      });
    },
  });

  tools.register("finish_task", {
    description:
      "End your claim: complete, fail (for good), release (others may take it), or renew it for `ttl` more seconds. " +
      "After lease_lost drop the work. Without a claim, fail withdraws a task that you posted.",
    shape: {
      room,
      message: messageId.describe("The task's id"),
      agent,
      outcome: z.enum(["complete", "fail", "release", "renew"]).describe("What becomes of it"),
      fence: z.int().min(1).optional().describe("As take_task gave it"),
      result: anyJson("Of complete: JSON, posted as its reply").optional(),
      error: z.string().optional().describe("Of fail and release: what went wrong"),
      ttl: z.int().min(1).optional().describe("Of renew: seconds from now"),
      idempotency_key: repetition,
    },
    wayOf: ({ outcome }) => wayOfOutcome(outcome),
    actorOf: () => "agent",
    annotations: ADDS,
    rest: `It took effect. A body: ${partOf("messages.id[7].body")}.`,
    act: ({ room, message, outcome, idempotency_key: key, ...body }, { api }) =>
      api.call("POST", ["rooms", room, "messages", message, outcome], { body, key }),
  });
}
