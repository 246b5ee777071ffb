import { PAGE_BYTES } from "../../db/consistent_read/listing.ts";
import { LIMITS } from "./limits.ts";
import { createReport } from "./reports.ts";

/** An encoded event, sent piece by piece. All its readers share the pieces. */
export type Pieces = readonly Uint8Array<ArrayBuffer>[];

/** One reader's share of the memory for events. */
export interface Share {
  /** Approximate bytes that the event may have. */
  readonly bytes: number;
  /** Counts these pieces from now on. Calls `release` if memory is short and the reader takes nothing. */
  hold(pieces: Pieces, release: () => void): void;
  /** Notes that the reader took a piece. */
  progress(): void;
  /** Returns the share; further calls do nothing. */
  end(): void;
}

export type Outbox = ReturnType<typeof createOutbox>;

interface OutboxLimits {
  /** Bytes of all events at a time. */
  bytes: number;
  /** Bytes of an event, and of one when memory is short. */
  page: number;
  small: number;
  /** Milliseconds without progress after which a reader is released when memory is short. */
  pressedMs: number;
  /** Bytes beyond which the readers that began first are released, whatever they take; by default none. */
  max?: number;
}

export const OUTBOX: OutboxLimits = {
  bytes: LIMITS.streamBytes,
  page: PAGE_BYTES,
  small: LIMITS.smallEventBytes,
  pressedMs: LIMITS.pressedMs,
};

const REPORT_EVERY_MS = 10_000;

/**
 * Bounds the memory for events of all streams of an instance. Nobody waits for memory: when it is short, events are
 * small, and readers that have taken nothing for a while are released, the longest idle first. Memory that several
 * readers share counts once.
 */
export function createOutbox(
  { bytes, page, small, pressedMs, max = Infinity }: OutboxLimits = OUTBOX,
  now: () => number = () => performance.now(),
) {
  /** The readers that hold pieces, the longest idle first. */
  const holders = new Map<Share, { at: number; release(): void }>();
  /** The same in the order in which they began. */
  const begun = new Set<Share>();
  /** The number of readers by the memory of pieces, or by the name of an event before it is read. */
  const counted = new Map<ArrayBuffer | string, number>();
  const reportStalled = createReport<void>(
    REPORT_EVERY_MS,
    (readers) => `Readers of streams and large answers that took too little and were let go: ${readers}.`,
    now,
  );
  let used = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const isShort = () => used + page > bytes;

  /** Releases idle readers while memory is short, and checks again when the next may be idle for long enough. */
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

  /** Releases those that began first, but never the latest, while they hold too much. */
  function relieve(latest: Share) {
    for (const share of begun) {
      if (used <= max || share === latest) return;
      holders.get(share)!.release();
    }
  }

  /** Counts one reader more or less; the first takes the memory, the last returns it. */
  function count(what: Pieces | string, by: 1 | -1) {
    for (const memory of typeof what === "string" ? [what] : new Set(what.map(({ buffer }) => buffer))) {
      const readers = (counted.get(memory) ?? 0) + by;
      if (readers > 0) counted.set(memory, readers);
      else counted.delete(memory);
      if (readers === (by === 1 ? 1 : 0)) {
        used += by * (typeof memory === "string" ? page : memory.byteLength);
      }
    }
  }

  return {
    /** Takes a share for an event before it is read. Readers of the same, by its name, use the same memory. */
    take(name: string): Share {
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
          begun.add(own);
          relieve(own);
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
          begun.delete(own);
          if (held !== undefined) count(held, -1);
          if (holders.size === 0) timer = void clearTimeout(timer);
        },
      };
      return own;
    },
    /** Reports a stalled reader, at most once in `REPORT_EVERY_MS`. */
    reportStalled,
  };
}
