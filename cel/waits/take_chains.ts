import type { Query } from "../../db/consistent_read/read.ts";
import type { Database } from "../../db/database.ts";
import {
  hasEnded,
  hasLeft,
  type Registration,
  selectRegistrations,
  toRegistrations,
} from "../../db/departures.ts";
import type { Row } from "../../db/driver/statement.ts";
import type { Message } from "../../db/messages/read.ts";
import { MAX_PASSED, takeTask } from "../../db/messages/take.ts";
import { pause } from "../../db/pause.ts";
import { isRefusal, Refusal } from "../../db/refusal.ts";
import { keyFor } from "../../db/viewer.ts";
import { refusalOf } from "../../db/write/acts.ts";
import type { Guard } from "../../db/write/read_set.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { readsFrom, unionReads } from "../language/dependencies.ts";
import type { EvaluationFailed } from "../language/expression.ts";
import { createContext } from "../rooms/context.ts";
import { NOTHING } from "../rooms/definitions.ts";
import type { Reader, RoomData } from "../rooms/reader.ts";
import { ownWrite } from "./queue.ts";
import { guardOf, judgeOf, nothingAt, type Take, takeFitting, type Try } from "./take_look.ts";
import { type Page, pageOf, type PageQuery } from "./take_pages.ts";

export interface TakeChains {
  /**
   * Takes the oldest open message that passes the filters and fits, if there is one. Errors: `room_not_found`,
   * `unavailable`, `DatabaseUnavailable`; `agent_not_found` where `joined`, the agent's registration, is over.
   */
  take(room: string, take: Take, joined?: Registration): Promise<Try>;
}

/** A take that waits for its turn. */
interface Pending extends Take {
  joined?: Registration;
  tries: number;
  giveUp: number;
  resolve(tried: Try): void;
  reject(error: unknown): void;
}

/** A judged take of a chain: of a message, or of nothing. */
interface Link extends Pick<Try, "next" | "failure"> {
  pending: Pending;
  fitting?: number;
  /** Messages that would fit and come before, with the agents that are to take them. */
  before: Array<[id: number, agent: string]>;
  sent?: ReturnType<typeof takeTask>;
}

const MAX_TRIES = 30;
const MAX_WAIT_MS = 7_000;
const MAX_PAUSE_MS = 50;
/** The maximum of takes in a chain. */
const MAX_CHAIN = 32;

/**
 * Creates the takes that look at messages. Those of a room that wait at the same time are a chain: one read of all that
 * they look at, each judged over what the ones before it leave, and all that found something committed together. One that
 * finds that others were first goes round again, ahead of those that came later.
 */
export function createTakeChains(database: Database, reader: Reader): TakeChains {
  const waiting = new Map<string, Pending[]>();

  async function work(name: string, room: string, queue: Pending[]): Promise<void> {
    while (queue.length > 0) queue.unshift(...await tryChain(room, queue.splice(0, lengthOf(queue))));
    waiting.delete(name);
  }

  /** Takes for a chain; one by one where all together read too much. Returns those that go round again. */
  async function tryChain(room: string, chain: Pending[]): Promise<Pending[]> {
    try {
      if (chain.length > 1) return await round(room, chain);
      await takeAlone(room, chain[0]!);
    } catch (error) {
      if (!isRefusal(error, "unavailable")) chain.forEach(({ reject }) => reject(error));
      else for (const pending of chain) await takeAlone(room, pending);
    }
    return [];
  }

  async function takeAlone(room: string, pending: Pending): Promise<void> {
    await takeFitting(database, reader, room, pending, pending.joined).then(pending.resolve, pending.reject);
  }

  /** Refuses those who may not act as their agents. Returns the others. */
  async function withoutRefused(room: string, chain: Pending[]): Promise<Pending[]> {
    const entitled: Pending[] = [];
    for (const pending of chain) {
      const refusal = await refusalOf(database, pending.context, room, { writes: true });
      if (refusal) pending.reject(refusal);
      else entitled.push(pending);
    }
    return entitled;
  }

  /** Judges and commits a chain. Returns those that go round again, and those behind it that were not judged. */
  async function round(room: string, chain: Pending[]): Promise<Pending[]> {
    const pages = chain.map(({ asked }) => pageOf({ ...asked, room }, asked.after, MAX_PASSED));
    const queries = distinct(pages);
    const reads = unionReads(
      chain.map(({ asked: { where, agent } }) => readsFrom(where?.reads ?? NOTHING, agent)),
    );
    const agents = new Set(chain.map(({ asked: { agent } }) => agent));
    const extra = [...queries.values(), selectRegistrations(room, agents)];
    const data = await reader.load(chain[0]!.context.viewer, room, reads, extra);
    const { snapshot } = data;
    const { revision } = snapshot.revisions;
    const entitled = snapshot.guarded ? await withoutRefused(room, chain) : chain;
    const there = withoutLeft(entitled, toRegistrations(snapshot.extra.at(-1)!), revision);
    const found = await readPages(pages, [...queries.keys()], snapshot.extra);
    const links = await judgeAll(data, there, new Map(chain.map((pending, n) => [pending, found[n]!])));
    const rest = there.slice(links.length);
    if (there.length === 0) return [];
    if (links.length === 0) {
      await takeAlone(room, rest.shift()!);
      return rest;
    }
    const guard = guardOf(data, links.map(({ pending }) => pending.asked.where));
    commitAll(room, links, guard);
    const again = await settle(database, links, revision);
    const left = again.filter(mayTryAgain);
    if (again.length === links.length && left.length > 0) {
      await pause(Math.random() * Math.min(left[0]!.tries * 5, MAX_PAUSE_MS));
    }
    return [...left, ...rest];
  }

  function commitAll(room: string, links: Link[], guard: Guard | undefined): void {
    for (const link of links) {
      const { pending: { asked, context, writes, joined }, fitting: id, before } = link;
      if (id === undefined) continue;
      writes?.();
      const judged = { id, guard, before, nonce: context.newId() };
      const sent = ownWrite(takeTask(database, context, { ...asked, room }, { judged, joined }));
      sent.catch(() => {}); // it is awaited in turn
      link.sent = sent;
    }
  }

  function mayTryAgain(pending: Pending): boolean {
    if (++pending.tries < MAX_TRIES && database.elapsed() < pending.giveUp) return true;
    pending.reject(new Refusal("unavailable", { why: "others_first" }));
    return false;
  }

  return {
    take: (room, take, joined) =>
      new Promise((resolve, reject) => {
        const name = keyFor(take.context.viewer, room);
        const giveUp = database.elapsed() + MAX_WAIT_MS;
        const pending = { ...take, joined, tries: 0, giveUp, resolve, reject };
        const queue = waiting.get(name);
        if (queue) return queue.push(pending);
        const own = [pending];
        waiting.set(name, own);
        // Those that come in the same turn join.
        queueMicrotask(() => work(name, room, own));
      }),
  };
}

/** How many of the first takes are a chain. What reads other messages, which a take changes, goes alone. */
function lengthOf(queue: Pending[]): number {
  const alone = queue.slice(0, MAX_CHAIN).findIndex(({ asked: { where } }) => where?.reads.messages);
  return alone < 0 ? MAX_CHAIN : Math.max(1, alone);
}

/** Notes the registrations of those who have none yet, and refuses those that left since. */
function withoutLeft(chain: Pending[], registrations: Map<string, number>, revision: number): Pending[] {
  return chain.filter((pending) => {
    const { asked: { agent } } = pending;
    const now = registrations.get(agent) ?? null;
    if (pending.joined === undefined) pending.joined = now;
    const isOver = hasEnded(pending.joined, now);
    if (isOver) pending.reject(hasLeft(agent, revision));
    return !isOver;
  });
}

/** The queries of pages, each once, by their text. */
function distinct(pages: PageQuery[]): Map<string, Query> {
  return new Map(pages.flatMap(({ queries }) => queries).map((query) => [JSON.stringify(query), query]));
}

/** Reads pages of the rows of their distinct queries, each of which is read once. */
function readPages(pages: PageQuery[], names: string[], results: Row[][]): Promise<Page[]> {
  const rows = new Map(names.map((name, n) => [name, results[n]!]));
  const found = new Map<string, ReturnType<PageQuery["read"][number]>>();
  return Promise.all(pages.map(async ({ queries, read, pageOf }) => {
    const own = queries.map((query, n) => {
      const name = JSON.stringify(query);
      const reading = found.get(name) ?? read[n]!(rows.get(name)!);
      found.set(name, reading);
      return reading;
    });
    return pageOf(await Promise.all(own));
  }));
}

/**
 * Judges takes in order, each over the messages that those before it leave. Ends before one that has to look further, at
 * another page or at what was not loaded.
 */
async function judgeAll(data: RoomData, chain: Pending[], pages: Map<Pending, Page>): Promise<Link[]> {
  const context = createContext(data);
  // A take changes what these tell.
  const { messages, heartbeats, alive } = data.reads;
  const taken = new Map<number, string>();
  const judgements = new Map<string, Map<number, boolean | EvaluationFailed>>();
  const links: Link[] = [];
  for (const pending of chain) {
    if (taken.size > 0 && (messages || heartbeats || alive)) break;
    const { where, agent } = pending.asked;
    const judge = judgeOf(where, context.from({ self: agent }).context);
    const name = JSON.stringify([where?.source, where?.reads.self && agent]);
    const known = judgements.get(name) ?? new Map<number, boolean | EvaluationFailed>();
    judgements.set(name, known);
    const fits = (message: Message) => {
      const judged = known.get(message.id) ?? judge(message);
      known.set(message.id, judged);
      return judged;
    };
    const link = await linkOf(pending, pages.get(pending)!, fits, taken);
    if (link === undefined || !context.missing.isEmpty) break;
    links.push(link);
    if (link.fitting !== undefined) taken.set(link.fitting, agent);
  }
  return links;
}

/** Finds what a take gets of a page; undefined where it has to look at the next one. */
async function linkOf(
  pending: Pending,
  { messages, more, passed, reached }: Page,
  fits: (message: Message) => boolean | EvaluationFailed,
  taken: ReadonlyMap<number, string>,
): Promise<Link | undefined> {
  const before: Link["before"] = [];
  let failure: EvaluationFailed | undefined;
  for (const message of messages) {
    if (isBusy()) await yieldToOthers();
    const judged = fits(message);
    if (judged !== true) {
      failure = judged || failure;
      continue;
    }
    const agent = taken.get(message.id);
    if (agent === undefined) return { pending, fitting: message.id, before };
    before.push([message.id, agent]);
  }
  if (more && passed < MAX_PASSED) return undefined;
  return { pending, before, failure, next: more ? reached : undefined };
}

/**
 * Answers the links of a chain that was judged at `revision`, and returns the others. One that found nothing since those
 * before it take all that fits is answered where they did, and no other write came between.
 */
async function settle(database: Database, links: Link[], revision: number): Promise<Pending[]> {
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
        taken.add(fitting!);
      } else if (before.every(([id]) => taken.has(id))) {
        const outcome = nothingAt(database, pending.context, revision);
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
