import type { Agent, Left } from "./agents.ts";
import { Attempt } from "./attempt.ts";
import type { CallOptions, Connection } from "./connection.ts";
import { parsed } from "./body.ts";
import { ConveneError } from "./errors.ts";
import { readEvents } from "./events.ts";
import type { Message } from "./message.ts";
import type { Ended, Reservation } from "./reservation.ts";
import { pause, pauseAfter } from "./retry.ts";
import type { RoomInfo } from "./room_info.ts";
import type { Deleted, Entry } from "./state.ts";

/** The changes after one revision and up to another, each thing once and in its last state. */
export interface Changes {
  /** The revision from which to continue. */
  revision: number;
  state: Array<(Entry | Deleted) & Changed>;
  agents: Array<(Agent | Left) & Changed>;
  messages: Array<Message & Changed>;
  reservations?: Array<(Reservation | Ended) & Changed>;
  /** The room, where its `meta` changed. */
  room?: RoomInfo & Changed;
  /** True if there are more changes after `revision`. */
  more: boolean;
  /** Of a walk from the start of which there is more: goes with the next `revision`. */
  began?: number;
  /** The room's revision went back, as after a restore. Drop what you have: all of it is sent again. */
  reset?: true;
}

export interface Changed {
  /** The revision at which it last changed. */
  revision: number;
}

/** The revision after which to begin (a message's id is one too), or now. */
export type After = number | "now";

export interface FollowOptions extends CallOptions {
  /** Default: 0, for what is there and then each change. */
  after?: After;
}

/** Milliseconds of silence after which a stream counts as broken: the service sends something every 3.5 s. */
const SILENCE = 15_000;

/**
 * Yields what changed in a room, then each new change, without gaps: a broken stream continues where it broke, for
 * hours if need be. Returns when the signal is aborted. Errors: those that do not pass (`room_not_found`), and before
 * the service's first answer also that there is none.
 */
export async function* followChanges(
  connection: Connection,
  room: string,
  { after = 0, signal }: FollowOptions,
): AsyncGenerator<Changes, void> {
  try {
    // Sends a plain request first, which is retried with the usual patience.
    const revision = await revisionOf(connection, room, signal);
    yield* followAfter(connection, room, after === "now" ? revision : after, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** The room's present revision, at which following from now begins. */
export async function revisionOf(
  connection: Connection,
  room: string,
  signal?: AbortSignal,
): Promise<number> {
  return (await connection.get(room, {}, { signal })).revision;
}

/**
 * Yields each change of a room after a revision. Reconnects as long as the service does not answer, so it has to have
 * answered once. Errors: those that do not pass, the signal's reason.
 */
export async function* followAfter(
  connection: Connection,
  room: string,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<Changes, void> {
  let revision = after;
  for (let failures = 1;; failures++) {
    const attempt = new Attempt(signal);
    let asked: number | undefined;
    try {
      const response = await connection.open(`${room}/events`, { after: revision }, attempt);
      for await (
        const { id, data } of readEvents(response.body!, attempt, SILENCE)
      ) {
        revision = id ?? revision;
        if (data === "") continue;
        failures = 0;
        yield parsed<Changes>(data);
      }
    } catch (error) {
      if (!(error instanceof ConveneError && error.passing)) throw error;
      asked = error.retryAfter;
    } finally {
      attempt.end();
    }
    await pause(pauseAfter(Math.max(1, failures), asked), signal);
  }
}
