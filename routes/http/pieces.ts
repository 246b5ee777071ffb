import { LIMITS } from "./limits.ts";
import { createOutbox, OUTBOX, type Outbox, type Pieces } from "./outbox.ts";

/** The memory for large answers of this process. */
const ANSWERS = createOutbox({ ...OUTBOX, bytes: LIMITS.answerBytes, max: LIMITS.maxAnswerBytes });

/**
 * Sends a large answer piece by piece, as fast as its reader takes them. Breaks it off if the reader takes nothing while
 * the memory for answers is short, so that answers which nobody reads do not pile up; and where slow readers hold far
 * too much, if it is the one that began first.
 */
export function sentInPieces(
  pieces: Pieces,
  outbox: Outbox = ANSWERS,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const share = outbox.take("a large answer");
  let left = [...pieces];

  function end() {
    left = [];
    share.end();
  }

  return new ReadableStream({
    start(controller) {
      share.hold(pieces, () => {
        end();
        controller.error(new Error("Its reader took too little."));
        outbox.reportStalled();
      });
    },
    pull(controller) {
      share.progress();
      controller.enqueue(left.shift()!);
      if (left.length > 0) return;
      end();
      controller.close();
    },
    cancel: end,
  }, { highWaterMark: 0 });
}
