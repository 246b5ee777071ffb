import type { Database } from "../../../db/database.ts";
import { hasEnded, hasLeft, type Registration } from "../../../db/agents/registration.ts";
import type { Message } from "../../../db/messages/message.ts";
import { MAX_PASSED } from "../../../db/messages/open.ts";
import type { Chosen, takeTask } from "../../../db/messages/take.ts";
import { isBusy, yieldToOthers } from "../../../db/yield.ts";
import type { Failure } from "../../rooms/expression.ts";
import type { Chained } from "../../rooms/chains.ts";
import { createContext } from "../../rooms/context.ts";
import type { RoomData } from "../../rooms/reader.ts";
import { judgeOf, MAX_STEPS, nothingAt, type Spent, type Take, type Try } from "./take_look.ts";
import type { Page } from "./take_pages.ts";

/** A take that waits for its chain. */
export interface Pending extends Take, Chained {
  joined?: Registration;
  resolve(tried: Try): void;
  reject(error: unknown): void;
}

/** A judged take of a chain. `fitting`: the message that it takes, if any. */
export interface Link extends Pick<Try, "next" | "failure"> {
  pending: Pending;
  fitting?: Chosen;
  /** Earlier messages that fit but go to takes before it in the chain, with the agents of those. */
  before: Array<[id: number, agent: string]>;
  sent?: ReturnType<typeof takeTask>;
}

/** Sets the registrations of takes that have none yet, and refuses those whose agents have left since. */
export function withoutLeft(
  chain: Pending[],
  registrations: Map<string, number>,
  revision: number,
): Pending[] {
  return chain.filter((pending) => {
    const { asked: { agent } } = pending;
    const now = registrations.get(agent) ?? null;
    if (pending.joined === undefined) pending.joined = now;
    const isOver = hasEnded(pending.joined, now);
    if (isOver) pending.reject(hasLeft(agent, revision));
    return !isOver;
  });
}

/**
 * Judges takes in order, each over the messages that those before it leave. Stops before one that needs another page,
 * or what was not loaded, and once all together have cost as much as one may.
 */
export async function judgeAll(data: RoomData, chain: Pending[], pages: Map<Pending, Page>): Promise<Link[]> {
  const context = createContext(data);
  // A take changes the values of these.
  const { messages, heartbeats, alive } = data.reads;
  const taken = new Map<number, string>();
  const judgements = new Map<string, Map<number, boolean | Failure>>();
  const links: Link[] = [];
  let steps = 0;
  for (const pending of chain) {
    if (steps >= MAX_STEPS) break;
    if (taken.size > 0 && (messages || heartbeats || alive)) break;
    const { where, agent } = pending.asked;
    const spent: Spent = { steps: 0 };
    const judge = judgeOf(where, context.from({ self: agent }).context, spent);
    const name = JSON.stringify([where?.source, where?.reads.self && agent]);
    const known = judgements.get(name) ?? new Map<number, boolean | Failure>();
    judgements.set(name, known);
    const fits = (message: Message) => {
      const judged = known.get(message.id) ?? judge(message);
      known.set(message.id, judged);
      return judged;
    };
    const link = await linkOf(pending, pages.get(pending)!, fits, taken, spent);
    steps += spent.steps;
    if (link === undefined || !context.missing.isEmpty) break;
    links.push(link);
    if (link.fitting !== undefined) taken.set(link.fitting[0], agent);
  }
  return links;
}

/** Finds the message that a take gets of a page; undefined if it needs the next page. */
async function linkOf(
  pending: Pending,
  { messages, more, passed, reached }: Page,
  fits: (message: Message) => boolean | Failure,
  taken: ReadonlyMap<number, string>,
  spent: Spent,
): Promise<Link | undefined> {
  const before: Link["before"] = [];
  let failure: Failure | undefined;
  let next: number | undefined;
  for (const message of messages) {
    if (spent.steps >= MAX_STEPS) return { pending, before, failure, next };
    next = message.id;
    if (isBusy()) await yieldToOthers();
    const judged = fits(message);
    if (judged !== true) {
      failure = judged || failure;
      continue;
    }
    const agent = taken.get(message.id);
    if (agent === undefined) return { pending, fitting: [message.id, message.attempts], before };
    before.push([message.id, agent]);
  }
  if (more && passed < MAX_PASSED) return undefined;
  return { pending, before, failure, next: more ? reached : undefined };
}

/**
 * Answers the links of a chain that was judged at `revision`, and returns those to try again. A take that found nothing
 * because those before it take all that fits is answered if they did so without another write in between.
 */
export async function settle(database: Database, links: Link[], revision: number): Promise<Pending[]> {
  const again: Pending[] = [];
  const taken = new Set<number>();
  for (const { pending, sent, fitting, before, next, failure } of links) {
    try {
      if (sent !== undefined) {
        const tried = await sent;
        if (tried === undefined) again.push(pending);
        else pending.resolve({ ...tried, joined: pending.joined });
        if (tried?.outcome.replayed || tried?.outcome.revision !== revision + 1) continue;
        revision++;
        taken.add(fitting![0]);
      } else if (before.every(([id]) => taken.has(id))) {
        const outcome = nothingAt(database, pending.context, revision, pending.joined);
        outcome.then(
          (outcome) => pending.resolve({ outcome, joined: pending.joined, next, failure }),
          pending.reject,
        );
      } else again.push(pending);
    } catch (error) {
      pending.reject(error);
    }
  }
  return again;
}
