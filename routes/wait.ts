import type { Context, Hono } from "hono";
import type { z } from "zod";
import { includesAnything } from "../cel/waits/conditions/include.ts";
import { getAgent } from "../db/agents/read.ts";
import { runAsUrgentTask } from "../db/yield.ts";
import { AGENTS } from "./agents.ts";
import { CHANGES } from "./changes.ts";
import { ownAgent, ownMember } from "./http/callers/own_agent.ts";
import { answeredInTime, lookedInTime } from "./http/deadline.ts";
import { invalidMember } from "./http/errors.ts";
import { existingAgentId, existingId } from "./http/ids.ts";
import { queryNumber, queryOf } from "./http/input/queries.ts";
import { LIMITS } from "./http/limits.ts";
import { compileOf, readBody, reply, replyLarge, roomOf } from "./http/requests.ts";
import { FIELD_PATTERN, INCLUDE, INCLUDE_PATTERN, includeOf } from "./include.ts";
import { MESSAGES } from "./messages/messages.ts";
import { describe, serve } from "./openapi/operation.ts";
import { expression, guard, number, query } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

const TIMEOUT = `Milliseconds; 0 looks once; a value above ${LIMITS.waitMs} counts as that`;
const AGENT = "Who waits; shown to others if it is registered";

const BOTH = {
  description: "Answers as soon as it is true, or when the time is up. A missing key means: not yet.",
  answers: { 200: "Wait" },
  shown: { triggered: true, condition: "state._shared.turn == self", value: true },
} as const;

export const WAIT = describe({
  bodies: ({ z, expression, absent, defaulting, id, milliseconds }) => ({
    WaitRequest: z.strictObject({
      condition: expression,
      agent: absent(id).describe(AGENT),
      timeout: defaulting(milliseconds, LIMITS.waitMs).describe(TIMEOUT),
      include: absent(z.union(
        [
          z.string().meta({ pattern: INCLUDE_PATTERN }),
          z.array(z.string().meta({ pattern: FIELD_PATTERN })).max(LIMITS.includeFields),
        ],
        `must be a text, or an array of at most ${LIMITS.includeFields} texts`,
      )).describe(INCLUDE),
    }),
  }),
  answers(parts) {
    const { z, json, object, count, failure } = parts;
    const { Agent } = AGENTS.answers(parts);
    const { Message } = MESSAGES.answers(parts);
    const beside = {
      notice: z.literal("agent_not_registered").optional()
        .describe("`agent` is not registered: others do not see that it waits"),
      state: z.record(z.string(), object).optional(),
      agents: z.record(z.string(), Agent.omit({ room_id: true })).optional(),
      messages: z.object({ count, unclaimed: count }).optional(),
      messages_since: z.array(Message).optional(),
      messages_more: z.literal(true).optional().describe("`messages_since` was cut; there are more"),
      changes: CHANGES.answers(parts).Changes.optional(),
    };
    const Triggered = z.object({
      triggered: z.literal(true),
      condition: z.string(),
      value: json,
      ...beside,
    });
    const TimedOut = z.object({
      triggered: z.literal(false),
      timeout: z.literal(true),
      elapsed_ms: count,
      last_error: failure.optional().describe("Why the condition could not be evaluated"),
      ...beside,
    });
    return { Triggered, TimedOut, Wait: z.union([Triggered, TimedOut]) };
  },
  operations: {
    "/rooms/{room}/wait": {
      get: {
        id: "waitByQuery",
        summary: "Wait until a condition is true, given in the query",
        ...BOTH,
        parameters: [
          {
            ...guard("condition", "The CEL expression to wait for, URL-encoded", expression),
            required: true,
          },
          query("agent", AGENT, ({ ownId }) => ownId),
          query("timeout", TIMEOUT, number(0, { default: LIMITS.waitMs })),
          query("include", INCLUDE, { type: "string", pattern: INCLUDE_PATTERN }),
        ],
        errors: ["agent_not_found", "invalid_expression"],
      },
      post: {
        id: "wait",
        summary: "Wait until a condition is true",
        ...BOTH,
        body: "WaitRequest",
        example: { condition: "state._shared.turn == self", agent: "alice", include: ["state._shared"] },
        errors: ["agent_not_found", "invalid_expression"],
      },
    },
  },
});

type WaitBody = z.infer<ReturnType<typeof WAIT.bodies>["WaitRequest"]>;

export function mountWait(app: Hono, services: Services): void {
  const { database, watch, fairUse, viewerOf } = services;
  /** Callers read `signal` before they await anything, else the runtime misses a client that leaves meanwhile. */
  async function wait(c: Context, room: string, body: WaitBody, signal: AbortSignal): Promise<Response> {
    const condition = await compileOf(body.condition);
    const include = includeOf(body.include ?? []);
    const timeout = Math.min(body.timeout ?? LIMITS.waitMs, LIMITS.waitMs);
    const viewer = viewerOf(c);
    const { agent } = body;
    // A wait may be of an agent that is not registered, but not under an id that none may have.
    if (agent !== undefined && existingAgentId(agent) === "") {
      await lookedInTime(getAgent(database, viewer, room, existingId(agent)), c);
    }
    const request = { viewer, room, condition, agent, timeout, include, signal };
    const release = fairUse.hold(c, "wait", room);
    const waiting = watch.wait(request);
    const result = await (timeout === 0 ? answeredInTime(waiting, c) : waiting).finally(release);
    if (result === undefined) return c.body(null, 204); // the client is gone
    const { included, revision, ...outcome } = result;
    const answer: Record<string, unknown> = outcome.triggered
      ? { ...outcome, condition: condition.source }
      : { ...outcome, timeout: true };
    // Most answers are small: yielding would take longer than encoding them.
    if (!includesAnything(include) && typeof answer.value !== "object") return reply(revision, answer);
    return await runAsUrgentTask(() => replyLarge(c, revision, { ...answer, ...included }));
  }

  serve(app, services, WAIT, "/rooms/{room}/wait", {
    async GET(c) {
      const { signal } = c.req.raw;
      const room = roomOf(c);
      const { condition, agent, include } = queryOf(c);
      if (condition === undefined) {
        throw invalidMember(
          ["condition"],
          "condition is required.",
          'For example condition=state._shared.phase == "go", URL-encoded; or POST it as JSON.',
        );
      }
      const own = agent ?? await ownAgent(c, services);
      const body = { condition, agent: own, timeout: queryNumber(c, "timeout"), include };
      return await wait(c, room, body, signal);
    },
    async POST(c) {
      const { signal } = c.req.raw;
      const body = await readBody(c, WAIT, "WaitRequest", { filled: ownMember(c, services) });
      return await wait(c, roomOf(c), body, signal);
    },
  });
}
