import type { Database } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { createLru } from "../../db/lru.ts";
import { pause } from "../../db/pause.ts";
import { isRefusal, Refusal } from "../../db/refusal.ts";
import { keyFor } from "../../db/viewer.ts";
import type { Judged, KeyChange, Outcome } from "../../db/write/context.ts";
import type { Guard } from "../../db/write/read_set.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { type Reads, readsAfter, readsFrom, unionReads } from "../language/dependencies.ts";
import { type Lookups, MAX_MISSES } from "../language/lookups.ts";
import { MAX_WEIGHT, weightOf } from "../language/message_reads.ts";
import { type Gate, judge, readSetAt } from "./judging.ts";
import { covers, type Reader, type RoomData } from "./reader.ts";
import { applyChange } from "./scopes.ts";

/** A write behind a gate. */
export interface GatedWrite {
  gate: Gate;
  /** Its changes of the state, in order. Undefined if only the database can tell: then the chain ends with it. */
  changes?: KeyChange[];
  /** Makes the write. Returns undefined if its guard no longer holds. */
  run(judged: Judged): Promise<Outcome | undefined>;
}

export interface Gates {
  /**
   * Makes a write if its gate holds in exactly the state to which the write applies. Errors: `precondition_failed`;
   * `unavailable` if other writes won every attempt or took too long; `DatabaseUnavailable` if the database takes no
   * writes; those of the write.
   */
  through(room: string, write: GatedWrite): Promise<Outcome>;
}

/** A gated write that waits for its chain. */
interface Pending {
  write: GatedWrite;
  /** What its gate read when it was last judged; before, what its source tells. */
  reads: Reads;
  /** The number of loads in a row that lacked something that the gate looked up. */
  misses: number;
  attempts: number;
  giveUp: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/** A judged write of a chain: sent, or refused over the state that those before it leave. */
interface Link {
  pending: Pending;
  nonce?: string;
  sent?: Promise<Outcome | undefined>;
  refused?: Refusal<"precondition_failed">["facts"];
}

/** The state of a room after this instance's last chain, which is right if the room's last write is that of `nonce`. */
interface Tail {
  data: RoomData;
  nonce: string;
  at: number;
}

const MAX_ATTEMPTS = 30;
const MAX_WAIT_MS = 7_000;
const MAX_PAUSE_MS = 50;
/** The maximum of writes in a chain: with entries of common size they fit into one batch (db/store.ts). */
const MAX_CHAIN = 32;
/** The maximum number of tails, and of keys that one may hold. */
const [TAILS, TAIL_KEYS] = [64, 16];
/** The age from which a tail is not used: by then another write has probably followed. */
const TAIL_MS = 1_000;

/**
 * Creates the gated writes. Concurrent ones of a room form a chain: one read loads what all gates need, each gate is
 * judged over the state that the writes before it leave, and one batch commits those whose gates hold. If the guard of
 * the first fails, all are tried again, in order of arrival.
 */
export function createGates(database: Database, reader: Reader): Gates {
  const waiting = new Map<string, Pending[]>();
  const tails = createLru<Tail>(TAILS);

  async function work(name: string, room: string, queue: Pending[]): Promise<void> {
    while (queue.length > 0) queue.unshift(...await tryChain(name, room, queue.splice(0, lengthOf(queue))));
    waiting.delete(name);
  }

  /** Judges and commits a chain; one by one if all together read too much. Returns those to try again. */
  async function tryChain(name: string, room: string, chain: Pending[]): Promise<Pending[]> {
    try {
      return await database.serialize(room, () => round(name, room, chain));
    } catch (error) {
      const left: Pending[] = [];
      if (chain.length === 1 || !isRefusal(error, "unavailable")) {
        chain.forEach(({ reject }) => reject(error));
      } else for (const pending of chain) left.push(...await tryChain(name, room, [pending]));
      return left;
    }
  }

  /** Judges and commits a chain. Returns those to try again. */
  async function round(name: string, room: string, chain: Pending[]): Promise<Pending[]> {
    const tail = takeTail(name, chain);
    const { viewer } = chain[0]!.write.gate;
    const data = tail?.data ?? await reader.load(viewer, room, readsOf(chain));
    if (data.snapshot.overdue) throw new DatabaseUnavailable("What is due cannot be ended.", false);
    const links = await judgeAll(data, chain, tail ? { after: tail.nonce } : readSetAt(data));
    const rest = chain.slice(links.length);
    const { again, last } = await settle(data, links, tail !== undefined);
    if (last && isShort(data.reads)) tails.set(name, { data, nonce: last, at: database.elapsed() });
    const left = again.filter(mayTryAgain);
    if (!tail && again.length === links.length && left.length > 0) {
      await pause(Math.random() * Math.min(left[0]!.attempts * 5, MAX_PAUSE_MS));
    }
    return [...left, ...rest];
  }

  /** The tail, if it has all that the chain reads, and nothing of that changes without a write. */
  function takeTail(name: string, chain: Pending[]): Tail | undefined {
    const tail = tails.get(name);
    tails.delete(name);
    const reads = readsOf(chain);
    if (!tail || database.elapsed() - tail.at >= TAIL_MS || readsTime(tail.data.reads)) return undefined;
    return covers(tail.data.reads, reads) ? tail : undefined;
  }

  /** Judges the gates of a chain in order, then makes the writes whose gates hold, all at once. */
  async function judgeAll(
    data: RoomData,
    chain: Pending[],
    first: Guard,
  ): Promise<Link[]> {
    const links: Link[] = [];
    let agents = 0;
    for (const pending of chain) {
      const { gate, changes } = pending.write;
      // A write is a heartbeat of its agent, which changes the values of these.
      if (agents > 0 && (data.reads.heartbeats || data.reads.alive)) break;
      if (isBusy()) await yieldToOthers();
      const { refused, lookups } = judge(data, gate);
      if (lacks(pending, lookups)) break;
      if (refused) {
        links.push({ pending, refused });
        continue;
      }
      links.push({ pending, nonce: database.newId() });
      if (gate.self !== null) agents++;
      if (changes === undefined) break;
      for (const change of changes) applyChange(data, data.snapshot.agentIds, change);
    }
    let guard = first;
    for (const link of links) {
      if (link.nonce === undefined) continue;
      link.sent = link.pending.write.run({ guard, nonce: link.nonce });
      guard = { after: link.nonce };
    }
    await Promise.allSettled(links.map(({ sent }) => sent));
    return links;
  }

  /**
   * Answers the links whose state is that of the room: up to the first that did not leave what was expected. `last` is
   * the nonce of the chain's last write where all did. `unproven`: the state of the first is what a tail expects.
   */
  async function settle(
    data: RoomData,
    links: Link[],
    unproven: boolean,
  ): Promise<{ again: Pending[]; last?: string }> {
    let { revision } = data.snapshot.revisions;
    let proven = !unproven;
    let broken = false;
    let last: string | undefined;
    const again: Pending[] = [];
    for (const { pending, sent, refused, nonce } of links) {
      if (refused) {
        if (broken || !proven) again.push(pending);
        else pending.reject(new Refusal("precondition_failed", refused, revision));
        continue;
      }
      try {
        const outcome = await sent!;
        if (outcome === undefined) again.push(pending);
        else pending.resolve(outcome);
        if (outcome?.revision === undefined || outcome.replayed) broken = true;
        else [revision, last, proven] = [outcome.revision, nonce, true];
      } catch (error) {
        pending.reject(error);
        broken = true;
      }
    }
    const complete = !broken && links.at(-1)?.pending.write.changes !== undefined;
    return { again, last: complete ? last : undefined };
  }

  function mayTryAgain(pending: Pending): boolean {
    if (++pending.attempts < MAX_ATTEMPTS && database.elapsed() < pending.giveUp) return true;
    pending.reject(new Refusal("unavailable", { why: "gate_moved" }));
    return false;
  }

  return {
    through: (room, write) =>
      new Promise((resolve, reject) => {
        const name = keyFor(write.gate.viewer, room);
        const giveUp = database.elapsed() + MAX_WAIT_MS;
        const { condition, self } = write.gate;
        const reads = readsFrom(condition.reads, self);
        const pending = { write, reads, misses: 0, attempts: 0, giveUp, resolve, reject };
        const queue = waiting.get(name);
        if (queue) return queue.push(pending);
        const own = [pending];
        waiting.set(name, own);
        work(name, room, own);
      }),
  };
}

/** The number of the first writes that form a chain: as many as one load can serve. */
function lengthOf(queue: Pending[]): number {
  let weight = 0;
  const beyond = queue.slice(0, MAX_CHAIN).findIndex(({ reads }) =>
    (weight += weightOf(reads.facts)) > MAX_WEIGHT
  );
  return beyond < 0 ? MAX_CHAIN : Math.max(1, beyond);
}

/** Records what a gate looked up, for its next load. True if this load lacked some of it. */
function lacks(pending: Pending, lookups: Lookups): boolean {
  const { condition, self } = pending.write.gate;
  pending.reads = readsAfter(condition.reads, self, lookups);
  pending.misses = lookups.missing ? pending.misses + 1 : 0;
  return lookups.missing && pending.misses <= MAX_MISSES;
}

function readsOf(chain: Pending[]): Reads {
  return unionReads(chain.map(({ reads }) => reads));
}

/** True if some of what is read may change without a write. */
function readsTime({ now, heartbeats, alive, presence }: Reads): boolean {
  return now || heartbeats || alive || presence;
}

/** True if what is read is small enough to be kept. */
function isShort({ state, agents, facts }: Reads): boolean {
  const names = facts.kind.length + facts.to.length + facts.from.length + facts.id.length;
  return names <= TAIL_KEYS && !facts.bodies && state !== "all" && state.scopes.length === 0 &&
    state.keys.length <= TAIL_KEYS && agents !== "all" &&
    agents.length <= TAIL_KEYS;
}
