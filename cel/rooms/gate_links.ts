import type { Database } from "../../db/database.ts";
import type { Computed, Judged, KeyChange, Outcome, WriteAs } from "../../db/write/context.ts";
import type { Guard } from "../../db/write/read_set.ts";
import { Refusal } from "../../db/refusal.ts";
import { judgeActs, readSecured, unprovenActors } from "../../db/write/acts.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { type Reads, unionReads } from "../language/dependencies.ts";
import type { Expression } from "./expression.ts";
import { trackLookups } from "../language/lookups.ts";
import type { Chained } from "./chains.ts";
import type { Changing } from "./changing.ts";
import { NOTHING } from "./definitions.ts";
import { judge, lacks } from "./judging.ts";
import type { RoomData } from "./reader.ts";

/** A write that depends on what it finds: behind a gate, or with values that are computed from those before it. */
export interface GatedWrite extends Pick<WriteAs, "viewer" | "acts"> {
  /** The agent that writes, `self` in the gate. */
  agent: string | null;
  /** The gate: it must be truthy in the state to which the write applies. */
  condition?: Expression;
  /** Its changes of the state, in order. Undefined if only the database can tell: then the chain ends with it. */
  changes?: KeyChange[];
  /**
   * Makes the write. Returns undefined if its guard no longer holds. A write without a gate that is alone in its chain is
   * made without being judged, since the database can compute most values.
   */
  run(judged?: Judged): Promise<Outcome | undefined>;
}

/** A gated write that waits for its chain. */
export interface Pending extends Chained {
  write: GatedWrite;
  /** What its gate read when it was last judged; before, what its source tells. */
  reads: Reads;
  /** The number of loads in a row that lacked something that the gate looked up. */
  misses: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/** A judged write of a chain: sent, or refused over the state that those before it leave. */
interface Link {
  pending: Pending;
  nonce?: string;
  computed?: Computed[];
  /** It will change nothing: the next one follows those before it. */
  idle: boolean;
  /** What it leaves is known. */
  known: boolean;
  sent?: Promise<Outcome | undefined>;
  refused?: Refusal<"precondition_failed">["facts"];
}

/** Judges the gates of a chain in order, then makes the writes whose gates hold, all at once. */
export async function judgeAll(
  { newId }: Database,
  data: RoomData,
  changing: Changing,
  chain: Pending[],
  first: Guard,
): Promise<Link[]> {
  const links: Link[] = [];
  let agents = 0;
  for (const pending of chain) {
    const { condition, agent, changes } = pending.write;
    // A write is a heartbeat of its agent, which changes the values of these.
    if (agents > 0 && (data.reads.heartbeats || data.reads.alive)) break;
    if (isBusy()) await yieldToOthers();
    if (condition) {
      changing.show();
      const { result: refused, lookups } = trackLookups(() => judge(data, condition, agent));
      if (lacks(pending, condition, agent, lookups)) break;
      if (refused) {
        links.push({ pending, refused, idle: true, known: true });
        continue;
      }
    }
    const left = changes ? await changing.apply(changes) : "unknown";
    const computed = typeof left === "object" ? left.computed : undefined;
    const idle = left === "refused" || computed?.every(({ changed }) => !changed) === true;
    links.push({ pending, nonce: newId(), computed, idle, known: left !== "unknown" });
    if (agent !== null) agents++;
    if (left === "unknown") break;
  }
  let guard = first;
  for (const link of links) {
    const { pending, nonce, computed, idle } = link;
    if (nonce === undefined) continue;
    link.sent = pending.write.run({ guard, nonce, computed });
    if (!idle) guard = { after: nonce };
  }
  await Promise.allSettled(links.map(({ sent }) => sent));
  return links;
}

/**
 * Answers the links whose state is that of the room: up to the first that did not leave what was expected. `last` is
 * the nonce of the chain's last write where all did. `unproven`: the state of the first is what a tail expects.
 */
export async function settle(
  database: Database,
  { room, data }: { room: string; data: RoomData },
  links: Link[],
  unproven: boolean,
): Promise<{ again: Pending[]; last?: string }> {
  let { revision } = data.snapshot.revisions;
  let proven = !unproven;
  let broken = false;
  let last: string | undefined;
  const again: Pending[] = [];
  // Those that are made do not wait for it.
  const barred = barring(database, room, data, links.filter((link) => link.refused));
  for (const { pending, sent, refused, nonce, idle } of links) {
    if (refused) {
      if (broken || !proven) again.push(pending);
      else {
        const refusal = new Refusal("precondition_failed", refused, revision);
        barred.then((why) => pending.reject(why(pending.write) ?? refusal));
      }
      continue;
    }
    try {
      const outcome = await sent!;
      if (outcome === undefined) again.push(pending);
      else pending.resolve(outcome);
      if (outcome === undefined || outcome.replayed || (outcome.revision === undefined) !== idle) {
        broken = true;
      } else if (outcome.revision !== undefined) [revision, last, proven] = [outcome.revision, nonce, true];
    } catch (error) {
      pending.reject(error);
      broken ||= !idle;
    }
  }
  const complete = !broken && links.at(-1)?.known;
  return { again, last: complete ? last : undefined };
}

/**
 * Returns what tells why a write whose gate does not hold may not be made at all: that comes before what is true of the
 * room. It costs one read for all of them, in a guarded room alone.
 */
async function barring(database: Database, room: string, { snapshot }: RoomData, refused: Link[]) {
  const writes = refused.map(({ pending }) => pending.write);
  if (!snapshot.guarded || writes.length === 0) return () => undefined;
  const actors = [...new Set(writes.flatMap(unprovenActors))];
  const secured = await readSecured(database, writes[0]!.viewer, room, actors)
    .catch((error: Error) => error);
  return (write: GatedWrite) =>
    secured instanceof Error ? secured : judgeActs(write, { writes: true, secured });
}

/** What to load for a chain: what its gates read, and what it computes from, unless the database may do that. */
export function readsOf(chain: Pending[]): Reads {
  const changes = chain.length === 1 ? [] : chain.flatMap(({ write }) => write.changes ?? []);
  const keys = changes.filter((change) => "edit" in change);
  return unionReads([...chain.map(({ reads }) => reads), { ...NOTHING, state: { scopes: [], keys } }]);
}
