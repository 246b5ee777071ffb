import type { ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { LIMITS } from "../http/limits.ts";
import { type Answer, answerOf, type Api } from "./api.ts";
import { agent, room } from "./arguments.ts";
import type { Endings } from "./endings.ts";

/** Milliseconds by which a wait may seem to end early because clocks differ. */
const EARLY_MS = 500;

export const WAIT = {
  room,
  condition: z.string().describe('CEL, such as state._shared.turn == self or agents["bob"].status == "idle"'),
  agent: agent.optional(),
  timeout_seconds: z.int().min(0).max(LIMITS.mostToolWaitSeconds).default(LIMITS.toolWaitSeconds)
    .describe("Longer ones only where your client lets a tool take as long"),
  include: z.array(z.string()).max(LIMITS.includeFields).optional()
    .describe("state, state.<scope>, agents, messages, messages:after:<id>, changes:after:<revision>"),
};
type WaitArguments = z.infer<z.ZodObject<typeof WAIT>>;

export type WaitFor = (wait: WaitArguments, context: ServerContext) => Promise<Answer>;

/** The request of a wait, and how to abandon its answer when the client cancels it. */
export interface Waiting {
  api: Api;
  endings: Endings;
  session: string | undefined;
  /** The request that brought it. */
  sent: object;
  giveUp(): void;
}

/** Waits until the condition is true, time is up, or the agent makes another call. */
export function createWaitFor({ api, endings, session, sent, giveUp }: Waiting): WaitFor {
  return async (wait, context) => {
    const { room, agent } = wait;
    const replaced = new AbortController();
    const release = endings.hold({ room, agent, sent, session, request: context.mcpReq.id }, {
      replaced: () => replaced.abort(),
      cancelled: giveUp,
    });
    try {
      return await repeat(api, wait, context, replaced.signal);
    } finally {
      release();
    }
  };
}

/** Repeats waits of the API, reporting progress in between to a client that asks for it. */
async function repeat(
  api: Api,
  { room, timeout_seconds, ...body }: WaitArguments,
  { mcpReq: { signal: gone, notify, _meta } }: ServerContext,
  replaced: AbortSignal,
): Promise<Answer> {
  const began = performance.now();
  const progressToken = _meta?.progressToken;
  const max = progressToken === undefined ? LIMITS.waitMs : LIMITS.progressMs;
  const signal = AbortSignal.any([gone, replaced]);
  for (;;) {
    const elapsed = performance.now() - began;
    if (progressToken !== undefined) {
      const params = { progressToken, progress: Math.round(elapsed / 1_000), total: timeout_seconds };
      await notify({ method: "notifications/progress", params: { ...params, message: "waiting" } });
    }
    const timeout = Math.max(0, Math.min(max, Math.round(timeout_seconds * 1_000 - elapsed)));
    const answer = await api.call("POST", ["rooms", room, "wait"], { body: { ...body, timeout }, signal });
    const waited = Math.round(performance.now() - began);
    if (answer.text === "") return ended(body.agent, waited);
    if (!answer.ok || answer.body.triggered) return answer;
    // A wait that ends early without a result was drained: the instance is about to stop.
    const cut = Number(answer.body.elapsed_ms) < timeout - EARLY_MS;
    if (cut || waited >= timeout_seconds * 1_000) {
      return answerOf(true, JSON.stringify({ ...answer.body, elapsed_ms: waited }));
    }
  }
}

/** Answers an abandoned wait, in case its client still reads the answer. */
function ended(agent: string | undefined, elapsed_ms: number): Answer {
  return answerOf(
    true,
    JSON.stringify({
      triggered: false,
      elapsed_ms,
      ended: true,
      hint: `${
        JSON.stringify(agent ?? null)
      } made another call meanwhile, which ends its wait. Wait again if you still want to.`,
    }),
  );
}
