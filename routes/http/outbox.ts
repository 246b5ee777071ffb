import { PAGE_BYTES } from "../../db/consistent_read/listing.ts";
import { LIMITS } from "./limits.ts";
import { createReport } from "./reports.ts";

/** An event as it is sent, one piece after the other. All who are sent it share the same pieces. */
export type Pieces = readonly Uint8Array<ArrayBuffer>[];

/** What an event of one reader takes of the memory for events. */
export interface Share {
  /** Bytes that the event may have, about. */
  readonly bytes: number;
  /** Counts these pieces from now on. `release` is called where memory is short and this reader takes nothing. */
  hold(pieces: Pieces, release: () => void): void;
  /** The reader took a piece. */
  progress(): void;
  /** Gives it back; may be called again. */
  end(): void;
}

export interface Outbox {
  /** Takes the share of an event that is yet to be read. Those who are about to read the same, by its name, share it. */
  take(name: string): Share;
  /** Tells the operator that a reader was let go, not at each of them. */
  reportStalled(): void;
}

export interface OutboxLimits {
  /** Bytes of all events that are being made and sent. */
  bytes: number;
  /** Bytes of an event, and of one where no more memory is left. */
  page: number;
  small: number;
  /** Milliseconds without progress after which a reader is let go where memory is short. */
  pressedMs: number;
}

export const OUTBOX: OutboxLimits = {
  bytes: LIMITS.streamBytes,
  page: PAGE_BYTES,
  small: LIMITS.smallEventBytes,
  pressedMs: LIMITS.pressedMs,
};

const REPORT_EVERY_MS = 10_000;

/**
 * The memory for events of all streams of an instance. Nobody waits for it: where it is in use, events are small,
 * and those who have taken nothing for a while are let go, the longest first. What several readers are sent counts
 * once.
 */
export function createOutbox(
  { bytes, page, small, pressedMs }: OutboxLimits = OUTBOX,
  now: () => number = () => performance.now(),
): Outbox {
  /** Those who hold pieces, the one that has taken none for the longest time first. */
  const holders = new Map<Share, { at: number; release(): void }>();
  /** How many readers share what is counted: pieces, or by its name what is yet to be read. */
  const counted = new Map<Pieces | string, number>();
  const reportStalled = createReport<void>(
    REPORT_EVERY_MS,
    (readers) => `Streams: readers that took nothing and were let go: ${readers}.`,
    now,
  );
  let used = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const isShort = () => used + page > bytes;

  /** Lets go of those who take nothing while memory is short, or looks again once somebody may have taken nothing. */
  function press() {
    clearTimeout(timer);
    timer = undefined;
    for (const { at, release } of holders.values()) {
      if (!isShort()) return;
      const left = at + pressedMs - now();
      if (left > 0) {
        timer = setTimeout(press, Math.ceil(left));
        return;
      }
      release();
    }
  }

  /** Counts one reader more or less; the first takes the memory, the last gives it back. */
  function count(what: Pieces | string, by: 1 | -1) {
    const readers = (counted.get(what) ?? 0) + by;
    if (readers > 0) counted.set(what, readers);
    else counted.delete(what);
    if (readers === (by === 1 ? 1 : 0)) used += by * (typeof what === "string" ? page : bytesOf(what));
  }

  return {
    take(name) {
      let held: Pieces | string | undefined = counted.has(name) || !isShort() ? name : undefined;
      let ended = false;
      if (held !== undefined) count(held, 1);
      else press();
      const own: Share = {
        bytes: held === undefined ? small : page,
        hold(pieces, release) {
          if (ended) return;
          count(pieces, 1);
          if (held !== undefined) count(held, -1);
          held = pieces;
          holders.set(own, { at: now(), release });
          press();
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
          if (held !== undefined) count(held, -1);
          if (holders.size === 0) timer = void clearTimeout(timer);
        },
      };
      return own;
    },
    reportStalled,
  };
}

function bytesOf(pieces: Pieces): number {
  return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
