import { createLru } from "../../db/lru.ts";
import { keyFor, type Viewer } from "../../db/viewer.ts";
import type { Reads } from "../language/dependencies.ts";
import { weightOf } from "../language/message_reads.ts";
import type { Changing } from "./changing.ts";
import { covers, type RoomData } from "./reader.ts";

/** The state of a room after this instance's last chain, which is right if the room's last write is that of `nonce`. */
interface Tail {
  data: RoomData;
  changing: Changing;
  nonce: string;
  at: number;
}

/** The maximum number of tails, and of keys that one may hold. */
const [TAILS, TAIL_KEYS] = [64, 16];
/** The age from which a tail is not used: by then another write has probably followed. */
const TAIL_MS = 1_000;

/** Creates the tails of this instance. `elapsed`: the clock, in milliseconds. */
export function createTails(elapsed: () => number) {
  const tails = createLru<Tail>(TAILS);
  return {
    /**
     * Removes the tail of a room as a viewer sees it. Returns it if it has all of `reads`, and nothing of that changes
     * without a write.
     */
    take(viewer: Viewer, room: string, reads: Reads): Tail | undefined {
      const name = keyFor(viewer, room);
      const tail = tails.get(name);
      tails.delete(name);
      if (!tail || elapsed() - tail.at >= TAIL_MS) return undefined;
      const { now, heartbeats, alive, presence } = tail.data.reads;
      const changesByTime = now || heartbeats || alive || presence;
      return !changesByTime && covers(tail.data.reads, reads) ? tail : undefined;
    },
    /** Keeps what a chain left, if it is short. */
    keep(viewer: Viewer, room: string, left: Omit<Tail, "at">): void {
      if (isShort(left.data.reads)) tails.set(keyFor(viewer, room), { ...left, at: elapsed() });
    },
    /** Forgets the tail of a room, which a write follows that is in no chain. */
    drop: (viewer: Viewer, room: string) => tails.delete(keyFor(viewer, room)),
  };
}

/** True if what is read is small enough to be kept. */
function isShort({ state, agents, facts }: Reads): boolean {
  return weightOf(facts) <= TAIL_KEYS && !facts.bodies && state !== "all" && state.scopes.length === 0 &&
    state.keys.length <= TAIL_KEYS && agents !== "all" && agents.length <= TAIL_KEYS;
}
