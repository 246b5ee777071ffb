import { ConveneError } from "./errors.ts";

/** One request under way: it ends with the caller's signal, or when it takes longer than it may. */
export class Attempt {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(caller?: AbortSignal) {
    this.#caller = caller;
    caller?.throwIfAborted();
    caller?.addEventListener("abort", this.#leave);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on it may take so many milliseconds; as long as it likes without a number. */
  within(ms?: number): void {
    clearTimeout(this.#timer);
    if (ms !== undefined) {
      this.#timer = setTimeout(() => this.#controller.abort(), ms);
    }
  }

  /** Waits for a part of the request. Where it fails: the caller's reason, else `no_answer`. */
  async reads<T>(part: Promise<T>): Promise<T> {
    try {
      return await part;
    } catch (cause) {
      this.#caller?.throwIfAborted();
      throw new ConveneError(
        "no_answer",
        `The service does not answer: ${reasonOf(cause)}`,
        {
          cause,
          hint: "Is the service running, and is this its address?",
        },
      );
    }
  }

  /** Gives up what is under way and leaves nothing behind. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#leave);
    this.#controller.abort();
  }

  readonly #leave = () => this.#controller.abort();
}

/** Node says "fetch failed" and keeps the reason in `cause`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
