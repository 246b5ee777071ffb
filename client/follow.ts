import type { Agent } from "./agents.ts";
import { Attempt } from "./attempt.ts";
import type { CallOptions, Connection } from "./connection.ts";
import { ConveneError } from "./errors.ts";
import { readEvents } from "./events.ts";
import type { Message } from "./message.ts";
import { pause, pauseAfter } from "./retry.ts";
import type { Deleted, Entry } from "./state.ts";

/** What changed after one revision and up to another, each thing once and as it was last left. */
export interface Changes {
  /** Where to go on. */
  revision: number;
  state: Array<(Entry | Deleted) & Changed>;
  agents: Array<Agent & Changed>;
  messages: Array<Message & Changed>;
  /** More has changed after `revision`. */
  more: boolean;
  /** The room has less than was known, as after a restored copy: drop what you hold, all comes from the start. */
  reset?: true;
}

export interface Changed {
  /** The revision at which it last changed. */
  revision: number;
}

/** Where to begin: behind what is known (a revision, or a message's id, which is one), or now. */
export type After = number | "now";

export interface FollowOptions extends CallOptions {
  /** With 0, unless told: what is there, then what comes. */
  after?: After;
}

/** Milliseconds of silence after which a stream is dead: the service says every 3.5 s that it lives. */
const SILENCE = 15_000;

/**
 * What changed in a room, then each change as it comes, without gaps: a stream that breaks is taken up where it
 * broke, for hours if need be. Ends quietly when the signal is aborted. Errors: what no patience mends
 * (`room_not_found`), and until the service has answered once also that it does not.
 */
export async function* followChanges(
  connection: Connection,
  room: string,
  { after = 0, signal }: FollowOptions,
): AsyncGenerator<Changes, void> {
  try {
    // A plain request first: it is tried again with the usual patience.
    const revision = await revisionOf(connection, room, signal);
    yield* followAfter(
      connection,
      room,
      after === "now" ? revision : after,
      signal,
    );
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** The room's present revision, from where whoever follows from now on begins. */
export async function revisionOf(
  connection: Connection,
  room: string,
  signal?: AbortSignal,
): Promise<number> {
  return (await connection.get(room, {}, { signal })).revision;
}

/**
 * Each change of a room after a revision, for those whom the service has answered already: that it does not answer
 * ends nothing. Errors: what no patience mends, the signal's reason.
 */
export async function* followAfter(
  connection: Connection,
  room: string,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<Changes, void> {
  let place = after;
  for (let failures = 1;; failures++) {
    const attempt = new Attempt(signal);
    let asked: number | undefined;
    try {
      const response = await connection.open(`${room}/events`, {
        after: place,
      }, attempt);
      for await (
        const { id, data } of readEvents(response.body!, attempt, SILENCE)
      ) {
        place = id ?? place;
        if (data === "") continue;
        failures = 0;
        yield JSON.parse(data);
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
