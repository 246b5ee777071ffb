import type { ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { LIMITS } from "../http/limits.ts";
import { type Answer, answerOf, withMember } from "./api.ts";
import { agent, room } from "./arguments.ts";
import type { Endings } from "./endings.ts";

/** Milliseconds by which a wait may seem to end early because clocks differ. */
const EARLY_MS = 500;

/** Tools that may wait. */
export const WAITING_TOOLS = ["wait", "take_task", "reserve_paths"];

export const seconds = z.int().min(0).max(LIMITS.maxToolWaitSeconds);

export const WAIT = {
  room,
  condition: z.string().describe(
    'CEL, such as state._shared.turn == self or messages.id[7].status == "done"',
  ),
  agent,
  timeout_seconds: seconds.default(LIMITS.toolWaitSeconds)
    .describe("Longer if your client allows it"),
  include: z.array(z.string()).max(LIMITS.includeFields).optional()
    .describe("state, state.<scope>, agents, messages, messages:after:<id>, changes:after:<revision>"),
};

/** A wait of a tool. */
export interface Waited {
  room: string;
  agent: string | undefined;
  /** Seconds it lasts at the most. */
  seconds: number;
  /** Each request under one idempotency key must be the same, so all wait for the same time. */
  keyed?: boolean;
  /** Asks the API, which waits for at most `timeout` milliseconds. */
  ask(timeout: number, signal: AbortSignal): Promise<Answer>;
  /** True of an answer after which there is nothing to wait for. */
  isOver(answer: Answer): boolean;
  /** The members that say, first in an answer, that a wait has got nothing. */
  nothing: Record<string, unknown>;
}

export type WaitFor = (waited: Waited, context: ServerContext) => Promise<Answer>;

/** The request of a wait, and how to abandon its answer when the client cancels it. */
export interface Waiting {
  endings: Endings;
  /** The hash of the token under which it waits. */
  holder: string | undefined;
  session: string | undefined;
  /** The request that brought it. */
  sent: object;
  giveUp(): void;
  /** Milliseconds that pass. */
  elapsed(): number;
}

/** Waits until there is an answer, time is up, or the agent makes another call. */
export function createWaitFor(
  { endings, holder, session, sent, giveUp, elapsed }: Waiting,
): WaitFor {
  return async (waited, context) => {
    const { room, agent } = waited;
    const replaced = new AbortController();
    const release = endings.hold({ room, agent, holder, sent, session, request: context.mcpReq.id }, {
      replaced: () => replaced.abort(),
      cancelled: giveUp,
    });
    try {
      return await repeat(waited, context, replaced.signal, elapsed);
    } finally {
      release();
    }
  };
}

/** Repeats waits of the API, reporting progress in between to a client that asks for it. */
async function repeat(
  { agent, seconds, keyed, ask, isOver, nothing }: Waited,
  { mcpReq: { signal: gone, notify, _meta } }: ServerContext,
  replaced: AbortSignal,
  now: () => number,
): Promise<Answer> {
  const began = now();
  const total = seconds * 1_000;
  const progressToken = _meta?.progressToken;
  const max = progressToken === undefined ? LIMITS.waitMs : LIMITS.progressMs;
  const signal = AbortSignal.any([gone, replaced]);
  for (;;) {
    const elapsed = now() - began;
    if (progressToken !== undefined) {
      const params = { progressToken, progress: Math.round(elapsed / 1_000), total: seconds };
      await notify({ method: "notifications/progress", params: { ...params, message: "waiting" } });
    }
    const timeout = evenly(keyed ? total : Math.max(0, Math.round(total - elapsed)), max);
    const asked = now();
    const answer = await ask(timeout, signal);
    const ended = now();
    const waited = Math.round(ended - began);
    const isGot = answer.ok && answer.text !== "" && isOver(answer);
    if (answer.text === "" || replaced.aborted && !isGot) return abandoned(agent, waited, { nothing, keyed });
    if (isOver(answer)) return answer;
    // A wait that ends early without a result was drained: the instance is about to stop.
    const cut = Number(answer.body.elapsed_ms ?? ended - asked) < timeout - EARLY_MS;
    if (cut || waited >= total - (keyed ? EARLY_MS : 0)) {
      return answer.ok ? withMember(answer, { elapsed_ms: waited }) : answer;
    }
  }
}

/**
 * Divides a time into equal parts of at most `max` milliseconds; returns one. A short last one would leave no mark, which
 * the same wait takes over without a change of the room.
 */
function evenly(total: number, max: number): number {
  return Math.ceil(total / Math.max(1, Math.ceil(total / max)));
}

/** Answers an abandoned wait, in case its client still reads the answer. */
function abandoned(
  agent: string | undefined,
  elapsed_ms: number,
  { nothing, keyed }: Pick<Waited, "nothing" | "keyed">,
): Answer {
  const hint = `${JSON.stringify(agent ?? null)} made another call meanwhile, which ends its wait. ` +
    `Wait again if you still want to${keyed ? ", with the same `idempotency_key`" : ""}.`;
  return answerOf(true, JSON.stringify({ ...nothing, elapsed_ms, ended: true, hint }));
}
