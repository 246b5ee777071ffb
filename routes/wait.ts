import type { Context, Hono } from "hono";
import { includesAnything } from "../cel/waits/include.ts";
import type { WaitResult } from "../cel/waits/waiter.ts";
import { getAgent } from "../db/agents.ts";
import type { Viewer } from "../db/viewer.ts";
import { runAsUrgentTask } from "../db/yield.ts";
import { invalidMember } from "./http/errors.ts";
import { existingAgentId, existingId } from "./http/ids.ts";
import { includeOf } from "./include.ts";
import { LIMITS } from "./http/limits.ts";
import { resource } from "./http/methods.ts";
import { queryNumber, queryOf } from "./http/input/queries.ts";
import { compileOf, readBody, reply, replyLarge, roomOf } from "./http/requests.ts";
import type { Services } from "./services.ts";

interface WaitBody {
  condition: string;
  agent?: string | null;
  timeout?: number;
  include?: string | string[];
}

export function mountWait(app: Hono, { database, watch, fairUse, viewerOf }: Services): void {
  /** `signal` is read before anything is awaited: a client that leaves earlier would be missed. */
  async function wait(c: Context, room: string, body: WaitBody, signal: AbortSignal): Promise<Response> {
    const condition = await compileOf(body.condition);
    const include = includeOf(body.include ?? []);
    const timeout = Math.min(body.timeout ?? LIMITS.waitMs, LIMITS.waitMs);
    const viewer = viewerOf(c);
    const agent = await waiterOf(viewer, room, body.agent ?? undefined);
    const request = { viewer, room, condition, agent, timeout, include, signal };
    const release = fairUse.hold(c, "wait", room);
    let result: WaitResult | undefined;
    try {
      result = await watch.wait(request);
    } finally {
      release();
    }
    if (result === undefined) return c.body(null, 204); // nobody is there to read it
    const { included, revision, ...outcome } = result;
    const answer = outcome.triggered
      ? { ...outcome, condition: condition.source }
      : { ...outcome, timeout: true };
    const content: Record<string, unknown> = { ...answer, ...included };
    // Most answers are small: to yield would take longer than to encode them.
    if (!includesAnything(include) && typeof content.value !== "object") return reply(revision, content);
    return await runAsUrgentTask(() => replyLarge(revision, content));
  }

  /** Who waits, registered or not. Errors: `room_not_found` and `agent_not_found` for what can be nobody's id. */
  async function waiterOf(viewer: Viewer, room: string, agent?: string): Promise<string | undefined> {
    if (agent !== undefined && existingAgentId(agent) === "") {
      await getAgent(database, viewer, room, existingId(agent));
    }
    return agent;
  }

  resource(app, "/rooms/:room/wait", {
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
      const body = {
        condition,
        agent,
        timeout: queryNumber(c, "timeout"),
        include,
      };
      return await wait(c, room, body, signal);
    },
    async POST(c) {
      const { signal } = c.req.raw;
      return await wait(c, roomOf(c), await readBody(c, "waitBody"), signal);
    },
  }, { GET: ["condition", "agent", "timeout", "include"] });
}
