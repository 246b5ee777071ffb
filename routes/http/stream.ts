import type { Context } from "hono";
import type { Follower } from "../../cel/waits/follow/follower.ts";
import type { Changes } from "../../db/snapshots/changes.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal } from "../../db/refusal.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { createDelivery } from "./delivery.ts";
import { LIMITS } from "./limits.ts";
import type { Outbox, Pieces, Share } from "./outbox.ts";
import type { Packing } from "./gzip.ts";
import { VARY } from "./packing.ts";

/** Makes what a stream sends: whole events or comments. Return the same object for equal ones, to share memory. */
export interface Script {
  changed(changes: Changes): Pieces | Promise<Pieces>;
  /** Called when nothing has changed for `LIMITS.beatMs`. */
  beat(): Pieces | Promise<Pieces>;
  /** Delays the read of a change set, which then includes what changes meanwhile. */
  pace?(): Promise<void>;
  /** Called when the connection is gone; a second call must do nothing. */
  left(): void;
}

/** The memory for events; `share` is that of the first event, if it was read already. */
interface Sending {
  outbox: Outbox;
  /** The key of the room as this reader sees it (db/viewer.ts). */
  seen: string;
  share?: Share;
  /** How the caller gets it packed, if at all. */
  packing?: Packing;
}

const HEADERS = { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no", ...VARY };
const ENCODER = new TextEncoder();
export const COMMENT: Pieces = [ENCODER.encode(":\n\n")];

/** Names what is read of a room, as a viewer sees it, after a revision. */
export const readOf = (seen: string, after: number): string => `${seen} ${after}`;

/** Encodes a Server-Sent Event; `id` is the revision at which a reader that reconnects continues. */
export function event(id: number, data: string, type?: string): Pieces {
  const lines = data.split("\n").map((line) => `data: ${line}\n`).join("");
  return piecesOf(`${type ? `event: ${type}\n` : ""}id: ${id}\n${lines}\n`);
}

/** Copies each piece, since a view would keep the whole event in memory. */
function piecesOf(text: string): Pieces {
  const bytes = ENCODER.encode(text);
  if (bytes.length <= LIMITS.pieceBytes) return [bytes];
  const pieces = [];
  for (let from = 0; from < bytes.length; from += LIMITS.pieceBytes) {
    pieces.push(bytes.slice(from, from + LIMITS.pieceBytes));
  }
  return pieces;
}

/**
 * Streams a follower's changes as fast as the reader takes them: the next piece follows when the reader has taken the
 * last one, and the next change set is read when it has taken all pieces. A reader that stalls is released: it gets
 * nothing more, and resumes from its last revision when it reconnects. It counts as a stream until its connection ends.
 */
export function streamOf(
  c: Context,
  follower: Follower,
  { changed, beat, pace, left: gone }: Script,
  { outbox, seen, share, packing }: Sending,
): Response {
  const delivered = (c.env as Partial<Deno.ServeHandlerInfo> | undefined)?.completed;
  const delivery = createDelivery(() => outbox.take(readOf(seen, follower.revision)), release, share);
  let over = false;
  let left = false;

  function leave() {
    left = true;
    delivery.drop();
    follower.end();
    gone();
  }

  /** Ends a stalled stream. The runtime does not close its connection before the socket takes data, so do not leave. */
  function release() {
    over = true;
    delivery.drop();
    outbox.reportStalled();
  }

  const packed = (bytes: Uint8Array<ArrayBuffer>) => packing ? packing.pack(bytes) : bytes;

  /** Returns the bytes that the next event may have. */
  async function size(): Promise<number> {
    await pace?.();
    return delivery.bytes();
  }

  /** Makes the next event; undefined when the stream ends. */
  async function next(): Promise<Pieces | undefined> {
    const changes = await follower.next(LIMITS.beatMs, size);
    if (left || follower.ended) return undefined;
    if (isBusy() || changes?.more) await yieldToOthers();
    return await (changes ? changed(changes) : beat());
  }

  /** Loads the next event. False where there is none, since the stream ends. */
  async function load(): Promise<boolean> {
    delivery.clear();
    const pieces = await next().catch(logged) ?? [];
    if (left) delivery.drop();
    else delivery.begin(pieces);
    return pieces.length > 0;
  }

  function end(controller: ReadableStreamDefaultController<Uint8Array>) {
    delivery.drop();
    if (packing) controller.enqueue(packing.tail());
    controller.close();
    if (!delivered) leave();
  }

  if (!follower.behind) delivery.free();
  delivered?.then(leave, leave);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (packing) controller.enqueue(packing.head);
      // An id without data is no event, but readers store it.
      controller.enqueue(packed(ENCODER.encode(`retry: ${LIMITS.returnMs}\nid: ${follower.revision}\n\n`)));
    },
    async pull(controller) {
      if (!over && delivery.isDone()) {
        const more = await load();
        if (left) return;
        if (!more) {
          controller.enqueue(packed(ENCODER.encode(`retry: ${LIMITS.returnMs}\n\n`)));
          return end(controller);
        }
      }
      if (isBusy()) await yieldToOthers();
      if (left) return;
      // Readers discard an unfinished event.
      if (over) return end(controller);
      controller.enqueue(packed(delivery.next()));
    },
    cancel: leave,
  }, { highWaterMark: 0 });
  c.header("Convene-Revision", String(follower.revision));
  return c.body(body, 200, { ...HEADERS, ...packing?.headers });
}

/** Ends a stream whose room cannot be read. Its reader reconnects and gets the error. */
function logged(error: unknown): undefined {
  if (!(error instanceof DatabaseUnavailable || error instanceof Refusal)) console.error(error);
}
