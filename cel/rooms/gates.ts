import type { Database } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { isRefusal, Refusal } from "../../db/refusal.ts";
import type { Outcome } from "../../db/write/context.ts";
import { readsFrom } from "../language/dependencies.ts";
import { MAX_WEIGHT, weightOf } from "../language/message_reads.ts";
import { createChains, MAX_CHAIN } from "./chains.ts";
import { createChanging } from "./changing.ts";
import { NOTHING } from "./definitions.ts";
import { readSetAt } from "./judging.ts";
import type { Reader } from "./reader.ts";
import { type GatedWrite, judgeAll, type Pending, readsOf, settle } from "./gate_links.ts";
import { createTails } from "./tails.ts";

export type Gates = ReturnType<typeof createGates>;

/**
 * Creates the gated writes. Concurrent ones of a room form a chain. One read loads what all of them need. Each gate is
 * judged, and each value computed, over the state that the writes before it leave. One batch commits those whose gates
 * hold. If the guard of the first fails, all are tried again, in order of arrival.
 */
export function createGates(database: Database, reader: Reader) {
  const chains = createChains<Pending>(database.elapsed, { lengthOf, decide: tryChain });
  const tails = createTails(database.elapsed);

  /** Judges and commits a chain; one by one if all together read too much. Returns those to try again. */
  async function tryChain(room: string, chain: Pending[]): Promise<Pending[]> {
    if (chain.length === 1 && !chain[0]!.write.condition) return await writeAlone(room, chain[0]!);
    try {
      return await database.serialize(room, () => round(room, chain));
    } catch (error) {
      const left: Pending[] = [];
      if (chain.length === 1 || !isRefusal(error, "unavailable")) {
        chain.forEach(({ reject }) => reject(error));
      } else for (const pending of chain) left.push(...await tryChain(room, [pending]));
      return left;
    }
  }

  async function writeAlone(room: string, { write, resolve, reject }: Pending): Promise<[]> {
    tails.drop(write.viewer, room);
    await write.run().then((outcome) => resolve(outcome!), reject); // undefined only with a guard
    return [];
  }

  async function round(room: string, chain: Pending[]): Promise<Pending[]> {
    const { viewer } = chain[0]!.write;
    const reads = readsOf(chain);
    const tail = tails.take(viewer, room, reads);
    const data = tail?.data ?? await reader.load(viewer, room, reads);
    if (data.snapshot.overdue) throw new DatabaseUnavailable("What is due cannot be ended.", false);
    const changing = tail?.changing ?? createChanging(data);
    const first = tail ? { after: tail.nonce } : readSetAt(data);
    const links = await judgeAll(database, data, changing, chain, first);
    const rest = chain.slice(links.length);
    const { again, last } = await settle(database, { room, data }, links, tail !== undefined);
    if (last) tails.keep(viewer, room, { data, changing, nonce: last });
    const left = again.filter(mayTryAgain);
    if (!tail && again.length === links.length && left.length > 0) await chains.backOff(left[0]!);
    return [...left, ...rest];
  }

  function mayTryAgain(pending: Pending): boolean {
    if (chains.mayTryAgain(pending)) return true;
    pending.reject(
      new Refusal("unavailable", { why: pending.write.condition ? "gate_moved" : "value_moved" }),
    );
    return false;
  }

  return {
    /**
     * Makes a write if its gate, if any, holds in exactly the state to which the write applies.
     * Errors: `precondition_failed`; `unavailable` if other writes won every attempt or took too long;
     * `DatabaseUnavailable` if the database takes no writes; those of the write.
     */
    through: (room: string, write: GatedWrite) =>
      new Promise<Outcome>((resolve, reject) => {
        const reads = readsFrom(write.condition?.reads ?? NOTHING, write.agent);
        chains.add(write.viewer, room, { write, reads, misses: 0, resolve, reject });
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
