import type { Database } from "../../../db/database.ts";
import type { Message } from "../../../db/messages/message.ts";
import {
  hasEnded,
  hasLeft,
  type Registration,
  selectRegistrations,
  toRegistrations,
} from "../../../db/agents/registration.ts";
import { MAX_PASSED, type Wanted } from "../../../db/messages/open.ts";
import { type Chosen, takeTask } from "../../../db/messages/take.ts";
import { Refusal } from "../../../db/refusal.ts";
import type { Outcome, WriteContext } from "../../../db/write/context.ts";
import { judgeActs, unprovenActors } from "../../../db/write/acts.ts";
import { storedOutcome } from "../../../db/write/idempotency.ts";
import type { Guard } from "../../../db/write/read_set.ts";
import { isBusy, yieldToOthers } from "../../../db/yield.ts";
import { STEP_BUDGET, stepsTaken } from "../../language/budget.ts";
import type { Context, Expression, Failure } from "../../rooms/expression.ts";
import { toCel } from "../../language/values.ts";
import { NOTHING } from "../../rooms/definitions.ts";
import { readSetAt } from "../../rooms/judging.ts";
import { lookAt } from "../../rooms/look.ts";
import type { Reader, RoomData } from "../../rooms/reader.ts";
import type { Judging } from "../queues/judging.ts";
import type { Queued } from "../queues/queued.ts";
import { distinct, type Page, pageOf, readPages } from "./take_pages.ts";

/** What an agent asks for: the filters, and a condition for the messages that pass them. */
export interface Asked extends Omit<Wanted, "room"> {
  thread?: number;
  /** Must be truthy over the `message`. */
  where?: Expression;
}

/** A take by an agent. */
export interface Take {
  asked: Asked;
  context: WriteContext;
  /** Makes a write that takes something, for `Queued`. */
  write: Queued<unknown, unknown>["write"];
  /** Whether it is answered, so that it needs no further look. */
  isOver: Queued<unknown, unknown>["isOver"];
  /** Its mark is its heartbeat, before or after this attempt. */
  waits: boolean;
}

/** The result of one attempt; the other members are those of an attempt that evaluates messages. */
export interface Try {
  outcome: Outcome;
  /** The registration of the agent. */
  joined?: Registration;
  /** The id after which to continue, if the search reached its limit. */
  next?: number;
  /** The last evaluation of `where` that failed. */
  failure?: Failure;
}

/** The most messages of which a take gets the oldest that is open, after others took what it found before. */
const MAX_CHOICES = 32;

/** The steps of all evaluations of a take, about: one ends within 200 ms, however much each message costs. */
export const MAX_STEPS = 10 * STEP_BUDGET;

/** What the evaluations of a take have cost. */
export interface Spent {
  steps: number;
}

/**
 * Evaluates the open messages that pass the filters, page by page, and takes the first that fits. Each time that others
 * took what it found, it looks for twice as many. `mayTryAgain` pauses before another attempt.
 */
export async function takeFitting(
  database: Database,
  reader: Reader,
  room: string,
  { asked, context, write }: Omit<Take, "isOver" | "waits">,
  { before, mayTryAgain, judging }: {
    before?: Registration;
    mayTryAgain(): Promise<boolean>;
    judging: Judging["during"];
  },
): Promise<Try> {
  let tried = new Set<string>();
  let joined = before;
  for (let choices = 1;; choices = Math.min(2 * choices, MAX_CHOICES)) {
    const found = await look(reader, room, { asked, context }, { tried, choices, judging });
    const { fitting, guard, revision, joined: now, next, failure } = found;
    if (joined === undefined) joined = now;
    if (hasEnded(joined, now)) throw hasLeft(asked.agent, revision);
    if (fitting === undefined) {
      return { outcome: await nothingAt(database, context, revision, joined), joined, next, failure };
    }
    const chosen = fitting.map(({ id, attempts }): Chosen => [id, attempts]);
    const judged = { chosen, guard, nonce: context.newId() };
    const taken = await write(() => takeTask(database, context, { ...asked, room }, { judged, joined }));
    if (taken) return { ...taken, joined };
    // With a guard, the room may have changed: then a message that was tried may fit now.
    tried = guard === undefined ? tried.union(new Set(fitting.map(nameOf))) : new Set();
    if (!await mayTryAgain()) throw new Refusal("unavailable", { why: "others_first" });
  }
}

/** Names a message as it was judged. */
const nameOf = ({ id, attempts }: Message) => `${id} ${attempts}`;

/** Finds the first messages of a page that fit, as many as `choices`, among at most `MAX_PASSED`. */
async function look(
  reader: Reader,
  room: string,
  { asked, context: by }: Pick<Take, "asked" | "context">,
  { tried, choices, judging }: { tried: Set<string>; choices: number; judging: Judging["during"] },
) {
  const { where, agent } = asked;
  let after = asked.after;
  let left = MAX_PASSED;
  let spent: Spent = { steps: 0 };
  let failure: Failure | undefined;
  let joined: Registration | undefined;
  for (;;) {
    const page = pageOf({ ...asked, room }, after, left);
    const extra = [...distinct([page]).values(), selectRegistrations(room, [agent])];
    const reads = where?.reads ?? NOTHING;
    const sight = { viewer: by.viewer, room, reads, self: agent, extra, actors: unprovenActors(by) };
    const { result, data } = await lookAt(reader, sight, async (context, { snapshot }) => {
      const refusal = snapshot.guarded && judgeActs(by, { writes: true, secured: snapshot.secured });
      if (refusal) throw refusal;
      const [read] = await readPages([page], snapshot.extra) as [Page];
      const own: Spent = { ...spent };
      const fits = judgeOf(where, context.from({ self: agent }).context, own);
      const found = await judging(room, () => firstFitting(read, fits, { tried, choices, spent: own }));
      return { ...found, spent: own };
    });
    spent = result.spent;
    const { revision } = data.snapshot.revisions;
    if (joined === undefined) joined = toRegistrations(data.snapshot.extra.at(-1)!).get(agent) ?? null;
    const { fitting } = result;
    if (fitting.length > 0) return { fitting, guard: guardOf(data, [where]), revision, joined };
    failure = result.failed ?? failure;
    left -= result.page.passed;
    after = result.page.reached ?? after;
    if (!result.page.more) return { revision, failure, joined };
    if (left <= 0 || spent.steps >= MAX_STEPS) return { revision, failure, joined, next: after };
  }
}

/** Judges the messages of a page up to as many that fit as `choices`. A page that costs too much ends before its last. */
async function firstFitting(
  page: Page,
  fits: (message: Message) => boolean | Failure,
  { tried, choices, spent }: { tried: Set<string>; choices: number; spent: Spent },
) {
  const fitting: Message[] = [];
  let failed: Failure | undefined;
  let reached: number | undefined;
  for (const message of page.messages) {
    if (fitting.length === choices) break;
    if (spent.steps >= MAX_STEPS) return { fitting, failed, page: { ...page, more: true, reached } };
    reached = message.id;
    if (isBusy()) await yieldToOthers();
    if (tried.has(nameOf(message))) continue;
    const judged = fits(message);
    if (judged === true) fitting.push(message);
    else failed = judged || failed;
  }
  return { fitting, failed, page };
}

/** Makes the function that tells whether a message fits, or why it could not be evaluated. Adds its steps to `spent`. */
export function judgeOf(
  where: Expression | undefined,
  variables: Context,
  spent: Spent,
): (message: Message) => boolean | Failure {
  if (where === undefined) return () => true;
  return (message) => {
    const { truthy, failure } = where.judge(new Map([...variables, ["message", toCel(message as never)]]));
    spent.steps += stepsTaken();
    return failure ?? truthy;
  };
}

/** The guard of what was judged over the room; undefined if the conditions read the message alone. */
export function guardOf(data: RoomData, all: Array<Expression | undefined>): Guard | undefined {
  return all.some((where) => where && readsRoom(where)) ? readSetAt(data) : undefined;
}

/** True of a condition that reads more than the message. */
function readsRoom({ reads: { state, agents, messages, now } }: Expression): boolean {
  const keys = state === "all" || state.scopes.length + state.keys.length > 0;
  return keys || agents === "all" || agents.length > 0 || messages || now;
}

/** The outcome of an attempt that found nothing at a revision. For a repeated request, the stored one. */
export async function nothingAt(
  database: Database,
  { idempotencyKey: key, time }: WriteContext,
  revision: number,
  joined: Registration | undefined,
): Promise<Outcome> {
  const stored = await storedOutcome(database, key);
  const row = { revision, ...(joined !== undefined && { joined }) };
  return stored ?? { now: await time(), revision: undefined, rows: [[row], []] };
}
