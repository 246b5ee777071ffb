import { PAGE_BYTES } from "../db/listing.ts";
import { LIMITS } from "./limits.ts";

/** An event as it is sent, one piece after the other. All who are sent it share the same pieces. */
export type Pieces = readonly Uint8Array<ArrayBuffer>[];

/** What an event of one reader takes of the memory for events. */
export interface Share {
  /** Counts these pieces from now on. `letGo` is called where others wait and this reader takes nothing. */
  hold(pieces: Pieces, letGo: () => void): void;
  /** The reader took a piece. */
  progress(): void;
  /** Gives it back; may be called again. */
  end(): void;
}

export interface Outbox {
  /**
   * Takes the share of an event that is yet to be read; undefined where none is free within so many milliseconds.
   * Those who are about to read the same, by its name, share it.
   */
  reserve(name: string, within: number): Promise<Share | undefined>;
  /** Tells the operator that a reader was let go, not at each of them. */
  reportStalled(): void;
}

export interface OutboxLimits {
  /** Bytes of all events that are being made and sent. */
  bytes: number;
  /** Bytes that are reserved for an event before its size is known. */
  reserved: number;
  /** Milliseconds without progress after which a reader is let go where others wait. */
  pressedMs: number;
}

export const OUTBOX: OutboxLimits = {
  bytes: LIMITS.streamBytes,
  reserved: PAGE_BYTES,
  pressedMs: LIMITS.pressedMs,
};

const REPORT_EVERY_MS = 10_000;

/**
 * The memory for events of all streams of an instance. Who needs some when all is in use waits, first come first
 * served, and meanwhile those who have taken nothing for a while are let go, the longest first. What several
 * readers are sent counts once.
 */
export function createOutbox(
  { bytes, reserved, pressedMs }: OutboxLimits = OUTBOX,
  now: () => number = () => performance.now(),
): Outbox {
  /** Those who hold pieces, the one that has taken none for the longest time first. */
  const holders = new Map<Share, { at: number; letGo(): void }>();
  /** How many readers share what is counted: pieces, or by its name what is yet to be read. */
  const counted = new Map<Pieces | string, number>();
  const waiting = new Set<() => void>();
  const reported = { at: -Infinity, readers: 0 };
  let used = 0;
  let pressing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const isFree = () => used === 0 || used + reserved <= bytes;

  function free(amount: number) {
    used -= amount;
    for (const admit of waiting) {
      if (!isFree()) break;
      admit();
    }
    press();
  }

  /** Lets go of those who take nothing while others wait, or looks again once somebody may have taken nothing. */
  function press() {
    if (pressing) return;
    pressing = true;
    clearTimeout(timer);
    timer = undefined;
    for (const { at, letGo } of holders.values()) {
      if (waiting.size === 0) break;
      const left = at + pressedMs - now();
      if (left > 0) {
        timer = setTimeout(press, Math.ceil(left));
        break;
      }
      letGo();
    }
    pressing = false;
  }

  /** The bytes that are taken by the first reader of something, or given back by the last. */
  function count(what: Pieces | string, by: 1 | -1): number {
    const readers = (counted.get(what) ?? 0) + by;
    if (readers > 0) counted.set(what, readers);
    else counted.delete(what);
    if (readers !== (by === 1 ? 1 : 0)) return 0;
    return typeof what === "string" ? reserved : bytesOf(what);
  }

  function share(name: string): Share {
    let held: Pieces | string = name;
    let ended = false;
    used += count(name, 1);
    const own: Share = {
      hold(pieces, letGo) {
        if (ended) return;
        const before = held;
        held = pieces;
        used += count(held, 1);
        holders.set(own, { at: now(), letGo });
        free(count(before, -1));
      },
      progress() {
        const holder = holders.get(own);
        if (!holder) return;
        holders.delete(own);
        holders.set(own, { ...holder, at: now() });
      },
      end() {
        if (ended) return;
        ended = true;
        holders.delete(own);
        free(count(held, -1));
      },
    };
    return own;
  }

  return {
    reserve(name, within) {
      if (counted.has(name) || waiting.size === 0 && isFree()) return Promise.resolve(share(name));
      return new Promise((resolve) => {
        const leave = setTimeout(() => {
          waiting.delete(admit);
          press();
          resolve(undefined);
        }, within);
        function admit() {
          clearTimeout(leave);
          waiting.delete(admit);
          resolve(share(name));
        }
        waiting.add(admit);
        if (timer === undefined) press();
      });
    },
    reportStalled() {
      reported.readers++;
      if (now() - reported.at < REPORT_EVERY_MS) return;
      console.error(`Streams: readers that took nothing and were let go: ${reported.readers}.`);
      Object.assign(reported, { at: now(), readers: 0 });
    },
  };
}

function bytesOf(pieces: Pieces): number {
  return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
