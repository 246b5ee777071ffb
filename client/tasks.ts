import type { Json } from "./json.ts";
import type { Messages } from "./messages.ts";
import { type NextOptions, type NoneTaken, type Taken, takeNext } from "./take.ts";
import { type Handler, runWorker, type WorkerOptions } from "./worker.ts";

/** The tasks of a room. A task that was taken is finished with `room.messages.complete`, `release` or `fail`. */
export class Tasks {
  constructor(readonly messages: Messages) {}

  /** Takes the oldest open task that fits, and waits where there is none; with `timeout`, for so many milliseconds. */
  next<T = Json>(options: NextOptions & { timeout: number }): Promise<Taken<T> | NoneTaken>;
  next<T = Json>(options?: Omit<NextOptions, "timeout">): Promise<Taken<T>>;
  next<T = Json>(options: NextOptions = {}): Promise<Taken<T> | NoneTaken> {
    return takeNext<T>(this.messages, options);
  }

  /**
   * Does one task after the other until the signal is aborted. While the handler runs, the claim is renewed; then the
   * task is completed with what it returned, or released with what it threw. Aborted, it ends when the handlers have:
   * they heed `lease.signal`.
   */
  worker<T = Json>(handler: Handler<T>, options: WorkerOptions = {}): Promise<void> {
    return runWorker(this.messages, handler, options);
  }
}
