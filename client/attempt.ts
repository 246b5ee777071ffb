import { ConveneError } from "./errors.ts";

/** One request in flight. It aborts with the caller's signal, or at its deadline. */
export class Attempt {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #answer: Response | undefined;

  constructor(caller?: AbortSignal) {
    this.#caller = caller;
    caller?.throwIfAborted();
    caller?.addEventListener("abort", this.#leave);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Sets the deadline to so many milliseconds from now; without a number, removes it. */
  within(ms?: number): void {
    clearTimeout(this.#timer);
    if (ms !== undefined) {
      this.#timer = setTimeout(() => this.#controller.abort(), ms);
    }
  }

  /** Awaits a part of the request. Errors: the reason of the caller's signal, else `no_answer`. */
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

  /** Awaits an answer's head, and holds the answer until the end: Deno aborts none that is collected. Errors: as `reads`. */
  async answers(sent: Promise<Response>): Promise<Response> {
    return this.#answer = await this.reads(sent);
  }

  /** Aborts what is in flight, and removes the timer and the listener. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#leave);
    this.#controller.abort();
    this.#answer = undefined;
  }

  readonly #leave = () => this.#controller.abort();
}

/** The reason of a failed fetch. Node's message is "fetch failed", with the reason in `cause`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
