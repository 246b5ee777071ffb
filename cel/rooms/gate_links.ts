import type { Database } from "../../db/database.ts";
import { Refusal } from "../../db/refusal.ts";
import type { Judged, KeyChange, Outcome } from "../../db/write/context.ts";
import type { Guard } from "../../db/write/read_set.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { type Reads, readsAfter } from "../language/dependencies.ts";
import { type Lookups, MAX_MISSES } from "../language/lookups.ts";
import { type Gate, judge } from "./judging.ts";
import type { RoomData } from "./reader.ts";
import { applyChange } from "./scopes.ts";

/** A write behind a gate. */
export interface GatedWrite {
  gate: Gate;
  /** Its changes of the state, in order. Undefined if only the database can tell: then the chain ends with it. */
  changes?: KeyChange[];
  /** Makes the write. Returns undefined if its guard no longer holds. */
  run(judged: Judged): Promise<Outcome | undefined>;
}

/** A gated write that waits for its chain. */
export interface Pending {
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
export interface Link {
  pending: Pending;
  nonce?: string;
  sent?: Promise<Outcome | undefined>;
  refused?: Refusal<"precondition_failed">["facts"];
}

/** Judges the gates of a chain in order, then makes the writes whose gates hold, all at once. */
export async function judgeAll(
  database: Database,
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
export async function settle(
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

/** Records what a gate looked up, for its next load. True if this load lacked some of it. */
function lacks(pending: Pending, lookups: Lookups): boolean {
  const { condition, self } = pending.write.gate;
  pending.reads = readsAfter(condition.reads, self, lookups);
  pending.misses = lookups.missing ? pending.misses + 1 : 0;
  return lookups.missing && pending.misses <= MAX_MISSES;
}
