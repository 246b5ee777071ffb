import type { Context } from "hono";
import type { Follower } from "../../cel/waits/follow.ts";
import type { Changes } from "../../db/snapshots/changes.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal } from "../../db/refusal.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { LIMITS } from "./limits.ts";
import type { Outbox, Pieces, Share } from "./outbox.ts";

/** What a stream says. Each answer is a whole event or comment; those that are equal are best the same object. */
export interface Script {
  changed(changes: Changes): Pieces | Promise<Pieces>;
  /** Said when nothing has changed for a while. */
  beat(): Pieces | Promise<Pieces>;
  /** Awaited before a change set is read: what changes meanwhile comes with it. */
  pace?(): Promise<void>;
  /** Called once the connection needs nothing any more; a second call must do nothing. */
  left(): void;
}

/** Where the memory for events comes from; `share` is that of the first one, where it was read already. */
export interface Sending {
  outbox: Outbox;
  /** Under what the room that this reader sees is known (db/viewer.ts). */
  seen: string;
  share?: Share;
}

const HEADERS = { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" };
const ENCODER = new TextEncoder();
export const COMMENT: Pieces = [ENCODER.encode(":\n\n")];

/** What is read of a room, as somebody sees it, after a revision, by name. */
export const readOf = (seen: string, after: number): string => `${seen} ${after}`;

/** One Server-Sent Event; `id` is where a reader that comes back goes on. */
export function event(id: number, data: string, type?: string): Pieces {
  const lines = data.split("\n").map((line) => `data: ${line}\n`).join("");
  return piecesOf(`${type ? `event: ${type}\n` : ""}id: ${id}\n${lines}\n`);
}

/** Each piece has memory of its own, since one that is held would hold all of what it is a part of. */
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
 * Streams what a follower is told for as long as the reader takes it: the next piece is given when the reader has
 * taken the last one, the next change set is read when it has taken all pieces. A reader that stalls is let go: it
 * gets nothing any more, and comes back to the last revision that it has. Its place is held for as long as its
 * connection and what the runtime keeps for it.
 */
export function streamOf(
  c: Context,
  follower: Follower,
  { changed, beat, pace, left: gone }: Script,
  { outbox, seen, share }: Sending,
): Response {
  const delivered = (c.env as Partial<Deno.ServeHandlerInfo> | undefined)?.completed;
  let pieces: Pieces = [];
  let given = 0; // of these pieces
  let stalled: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  let left = false;

  /** Forgets what was to be sent. */
  function drop() {
    clearTimeout(stalled);
    share?.end();
    share = undefined;
    pieces = [];
    given = 0;
  }

  function leave() {
    left = true;
    drop();
    follower.end();
    gone();
  }

  /** The runtime closes no connection while its socket takes nothing, so what it keeps is kept until that is gone. */
  function release() {
    over = true;
    drop();
    outbox.reportStalled();
  }

  const take = () => share ??= outbox.take(readOf(seen, follower.revision));

  /** Bytes that the next event may have. */
  async function size(): Promise<number> {
    await pace?.();
    return take().bytes;
  }

  /** The next event; undefined where the stream ends. */
  async function next(): Promise<Pieces | undefined> {
    const changes = await follower.next(LIMITS.beatMs, size);
    if (left || follower.ended) return undefined;
    if (isBusy() || changes?.more) await yieldToOthers();
    return await (changes ? changed(changes) : beat());
  }

  /** Makes the next event, and counts what it takes if the reader has to be waited for in the midst of it. */
  async function load(): Promise<boolean> {
    given = 0;
    pieces = []; // while the next one is waited for, the last one is not kept
    pieces = await next().catch(logged) ?? [];
    if (!left && pieces.length > 1) take().hold(pieces, release);
    else share = void share?.end();
    return pieces.length > 0;
  }

  function end(controller: ReadableStreamDefaultController<Uint8Array>) {
    drop();
    controller.close();
    if (!delivered) leave();
  }

  if (!follower.behind) share = void share?.end();
  delivered?.then(leave, leave);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // An id without data is no event, but is remembered by the reader.
      controller.enqueue(ENCODER.encode(`retry: ${LIMITS.returnMs}\nid: ${follower.revision}\n\n`));
    },
    async pull(controller) {
      if (!over && given === pieces.length) {
        clearTimeout(stalled);
        const more = await load();
        if (left) return;
        if (!more) {
          controller.enqueue(ENCODER.encode(`retry: ${LIMITS.returnMs}\n\n`));
          return end(controller);
        }
        stalled = setTimeout(release, LIMITS.stalledMs);
      }
      if (isBusy()) await yieldToOthers();
      if (left) return;
      // What was begun and is not ended is no event: readers forget it.
      if (over) return end(controller);
      controller.enqueue(pieces[given++]!);
      share?.progress();
      if (given === pieces.length) share = void share?.end();
    },
    cancel: leave,
  }, { highWaterMark: 0 });
  c.header("Convene-Revision", String(follower.revision));
  return c.body(body, 200, HEADERS);
}

/** A stream whose room cannot be read ends; its reader comes back and is told why. */
function logged(error: unknown): undefined {
  if (!(error instanceof DatabaseUnavailable || error instanceof Refusal)) console.error(error);
}
