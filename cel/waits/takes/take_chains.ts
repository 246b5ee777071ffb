import type { Database } from "../../../db/database.ts";
import { type Registration, selectRegistrations, toRegistrations } from "../../../db/agents/registration.ts";
import { MAX_PASSED } from "../../../db/messages/open.ts";
import { takeTask } from "../../../db/messages/take.ts";
import { isRefusal, Refusal } from "../../../db/refusal.ts";
import { judgeActs, unprovenActors } from "../../../db/write/acts.ts";
import type { Guard } from "../../../db/write/read_set.ts";
import { readsFrom, unionReads } from "../../language/dependencies.ts";
import { createChains, MAX_CHAIN } from "../../rooms/chains.ts";
import { NOTHING } from "../../rooms/definitions.ts";
import type { Reader } from "../../rooms/reader.ts";
import { judgeAll, type Link, type Pending, settle, withoutLeft } from "./take_links.ts";
import { guardOf, type Take, takeFitting, type Try } from "./take_look.ts";
import { createJudging } from "../queues/judging.ts";
import { distinct, pageOf, readPages } from "./take_pages.ts";

/**
 * Creates the takes that read messages. Concurrent takes of a room form a chain. One read loads what all of them need.
 * Each is judged over the messages that those before it leave. One batch commits all that found a message. A take that
 * another writer preceded is tried again, ahead of those that came later.
 */
export function createTakeChains(database: Database, reader: Reader) {
  const judging = createJudging(database.elapsed);
  const chains = createChains<Pending>(database.elapsed, { lengthOf, decide: tryChain, gathers: true });

  /** Takes for a chain; one by one if all together read too much. Returns those to try again. */
  async function tryChain(room: string, all: Pending[]): Promise<Pending[]> {
    const chain = withoutOver(all);
    try {
      if (chain.length > 1) return await round(room, chain);
      if (chain.length === 1) await takeAlone(room, chain[0]!);
    } catch (error) {
      if (!isRefusal(error, "unavailable")) chain.forEach(({ reject }) => reject(error));
      else for (const pending of chain) await takeAlone(room, pending);
    }
    return [];
  }

  async function takeAlone(room: string, pending: Pending): Promise<void> {
    const mayTryAgain = async () => {
      if (!chains.mayTryAgain(pending)) return false;
      await chains.backOff(pending);
      return true;
    };
    const { joined: before } = pending;
    await takeFitting(database, reader, room, pending, { before, mayTryAgain, judging: judging.during })
      .then(pending.resolve, pending.reject);
  }

  /** Judges and commits a chain. Returns those to try again, and those that were not judged. */
  async function round(room: string, chain: Pending[]): Promise<Pending[]> {
    const pages = chain.map(({ asked }) => pageOf({ ...asked, room }, asked.after, MAX_PASSED));
    const reads = unionReads(
      chain.map(({ asked: { where, agent } }) => readsFrom(where?.reads ?? NOTHING, agent)),
    );
    const agents = new Set(chain.map(({ asked: { agent } }) => agent));
    const extra = [...distinct(pages).values(), selectRegistrations(room, agents)];
    const actors = [...new Set(chain.flatMap(({ context }) => unprovenActors(context)))];
    const data = await reader.load(chain[0]!.context.viewer, room, reads, extra, { actors });
    const { snapshot } = data;
    const { revision } = snapshot.revisions;
    const entitled = snapshot.guarded ? withoutRefused(chain, snapshot.secured) : chain;
    const there = withoutLeft(entitled, toRegistrations(snapshot.extra.at(-1)!), revision);
    const found = await readPages(pages, snapshot.extra);
    const pageOfEach = new Map(chain.map((pending, n) => [pending, found[n]!]));
    const links = await judging.during(room, () => judgeAll(data, there, pageOfEach));
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
    if (again.length === links.length && left.length > 0) await chains.backOff(left[0]!);
    return [...left, ...rest];
  }

  function commitAll(room: string, links: Link[], guard: Guard | undefined): void {
    for (const link of links) {
      const { pending: { asked, context, write, joined }, fitting, before } = link;
      if (fitting === undefined) continue;
      const judged = { chosen: [fitting], guard, before, nonce: context.newId() };
      const sent = write(() => takeTask(database, context, { ...asked, room }, { judged, joined }));
      sent.catch(() => {}); // it is awaited in turn
      link.sent = sent;
    }
  }

  function mayTryAgain(pending: Pending): boolean {
    if (chains.mayTryAgain(pending)) return true;
    pending.reject(new Refusal("unavailable", { why: "others_first" }));
    return false;
  }

  return {
    isJudging: judging.is,
    /**
     * Takes the oldest open message that passes the filters and fits, if there is one. Errors: `room_not_found`,
     * `unavailable`, `DatabaseUnavailable`; `agent_not_found` if the registration `joined` of the agent has ended.
     */
    take: (room: string, take: Take, joined?: Registration) =>
      new Promise<Try>((resolve, reject) => {
        chains.add(take.context.viewer, room, { ...take, joined, resolve, reject });
      }),
  };
}

/** Leaves out takes that are answered: whoever asked is gone, and the others come sooner. */
function withoutOver(chain: Pending[]): Pending[] {
  return chain.filter(({ isOver, reject }) => {
    const over = isOver();
    if (over) reject(new Refusal("unavailable", { why: "unjudged" }));
    return !over;
  });
}

/** Refuses takes by callers who may not act as their agents. Returns the others. */
function withoutRefused(chain: Pending[], secured: string[]): Pending[] {
  return chain.filter(({ context, reject }) => {
    const refusal = judgeActs(context, { writes: true, secured });
    if (refusal) reject(refusal);
    return refusal === undefined;
  });
}

/** The number of the first takes that form a chain. One that reads other messages, which a take changes, goes alone. */
function lengthOf(queue: Pending[]): number {
  const alone = queue.slice(0, MAX_CHAIN).findIndex(({ asked: { where } }) => where?.reads.messages);
  return alone < 0 ? MAX_CHAIN : Math.max(1, alone);
}
