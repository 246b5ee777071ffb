import { LIMITS } from "./limits.ts";
import type { Pieces, Share } from "./outbox.ts";

/**
 * Delivers the events of a stream to its reader, piece by piece. `take` takes the reader's share of the memory for an
 * event, `share` is that of the first one, if it was taken already. `stall` is called when the reader has not taken an
 * event in time, or takes nothing while memory is short.
 */
export function createDelivery(take: () => Share, stall: () => void, share?: Share) {
  let pieces: Pieces = [];
  let given = 0; // of these pieces
  let stalled: ReturnType<typeof setTimeout> | undefined;

  /** Frees the event that the reader has taken, while the next one is made. */
  function clear() {
    clearTimeout(stalled);
    pieces = [];
    given = 0;
  }

  function free() {
    share = void share?.end();
  }

  return {
    /** Returns the bytes that the next event may have, for which it takes the share. */
    bytes: () => (share ??= take()).bytes,
    clear,
    /** Begins an event. Counts its memory if it has several pieces, between which the reader may stall. */
    begin(event: Pieces) {
      pieces = event;
      if (pieces.length > 1) (share ??= take()).hold(pieces, stall);
      else free();
      if (pieces.length > 0) stalled = setTimeout(stall, LIMITS.stalledMs);
    },
    isDone: () => given === pieces.length,
    next() {
      const piece = pieces[given++]!;
      share?.progress();
      if (given === pieces.length) free();
      return piece;
    },
    free,
    drop() {
      clear();
      free();
    },
  };
}
