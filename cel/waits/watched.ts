import type { Change } from "../../db/bus.ts";

/** What waits in rooms, of one kind, as the instance's watch (watch.ts) tells it what happens there. */
export interface Watched {
  /** The rooms in which something waits. */
  rooms(): Iterable<string>;
  has(room: string): boolean;
  /** True if a change concerns something that does not know of it. */
  isNews(change: Change): boolean;
  /** Wakes what a change concerns. */
  hear(change: Change): void;
  /** Has a room read again whose revision went back, or that is gone: nothing that was read of it holds. */
  rewind(room: string, isThere: boolean): void;
  /** Ends what waits for a room that was deleted, and of which another one has the id since the revision `first`. */
  endBefore(room: string, first: number): void;
}
