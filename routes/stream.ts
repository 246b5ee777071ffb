import type { Context } from "hono";
import type { Follower } from "../cel/follow.ts";
import type { Changes } from "../db/changes.ts";
import { DatabaseUnavailable } from "../db/faults.ts";
import { LIMITS } from "./limits.ts";
import { Refusal } from "../db/refusal.ts";
import { giveWay } from "../db/turn.ts";

/** What a stream says. Each text is a whole event or comment, or "" for nothing. */
export interface Script {
  changed(changes: Changes): string | Promise<string>;
  /** Said when nothing has changed for a while. */
  beat(): string | Promise<string>;
  /** Called once the reader is gone; a second call must do nothing. */
  left(): void;
}

const HEADERS = { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" };
const COMMENT = ":\n\n";

/** One Server-Sent Event; `id` is where a reader that comes back goes on. */
export function event(id: number, data: string, type?: string): string {
  const lines = data.split("\n").map((line) => `data: ${line}\n`).join("");
  return `${type ? `event: ${type}\n` : ""}id: ${id}\n${lines}\n`;
}

/**
 * Streams what a follower is told for as long as the reader takes it: the next change set is read when the
 * reader has taken the last one. A reader that stalls is let go; it comes back to the last revision that it has.
 */
export function streamOf(c: Context, follower: Follower, { changed, beat, left: gone }: Script): Response {
  const encoder = new TextEncoder();
  let stalled: ReturnType<typeof setTimeout> | undefined;
  let left = false;

  function leave() {
    left = true;
    clearTimeout(stalled);
    follower.end();
    gone();
  }

  async function text(): Promise<string> {
    const changes = await follower.next(LIMITS.beatMs);
    if (changes?.more) await giveWay();
    if (changes) return await changed(changes) || COMMENT;
    return follower.ended ? "" : await beat() || COMMENT;
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // An id without data is no event, but is remembered by the reader.
      controller.enqueue(encoder.encode(`retry: ${LIMITS.returnMs}\nid: ${follower.revision}\n\n`));
    },
    async pull(controller) {
      clearTimeout(stalled);
      const said = await text().catch(logged);
      if (left) return;
      if (!follower.ended && said !== "") {
        controller.enqueue(encoder.encode(said));
        stalled = setTimeout(() => {
          leave();
          controller.error(new Error("The reader stalls."));
        }, LIMITS.stalledMs);
        return;
      }
      leave();
      controller.enqueue(encoder.encode(`retry: ${LIMITS.returnMs}\n\n`));
      controller.close();
    },
    cancel: leave,
  });
  c.header("Convene-Revision", String(follower.revision));
  return c.body(body, 200, HEADERS);
}

/** A stream whose room cannot be read ends; its reader comes back and is told why. */
function logged(error: unknown): string {
  if (!(error instanceof DatabaseUnavailable || error instanceof Refusal)) console.error(error);
  return "";
}
