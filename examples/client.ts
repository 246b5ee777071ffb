// deno-lint-ignore no-explicit-any -- an answer is the JSON that the guide describes
export type Answer = any;

/** An answer with an error: `code` is its stable word, `answer` all that it says. */
export class Refused extends Error {
  readonly code: string;

  constructor(readonly status: number, readonly answer: Answer) {
    super(`${status} ${answer.error}: ${answer.message}`);
    this.code = answer.error;
  }
}

export interface WaitOptions {
  /** A registered agent: others see that it waits, and for what. */
  agent?: string;
  /** What comes with the answer: `state`, `state.<scope>`, `agents`, `messages`, `messages:after:<id>`. */
  include?: string[];
  /** Milliseconds after which to give up. */
  within?: number;
}

/** A room of Convene. Paths are those below `/rooms/<id>`. */
export class Room {
  constructor(readonly url: string, readonly id: string) {}

  /** Creates the room, or joins it if it exists. */
  static async open(url: string, id: string = crypto.randomUUID()): Promise<Room> {
    await request("POST", `${url}/rooms`, { id });
    return new Room(url, id);
  }

  get = (path: string) => request("GET", this.#address(path));
  post = (path: string, body: unknown) => request("POST", this.#address(path), body);
  put = (path: string, body: unknown) => request("PUT", this.#address(path), body);

  /** Waits for a condition. One request lasts 25 seconds at most, so it is sent again until it triggers. */
  async waitFor(condition: string, { within = 60_000, ...options }: WaitOptions = {}): Promise<Answer> {
    const deadline = Date.now() + within;
    for (;;) {
      const timeout = Math.max(0, Math.min(25_000, deadline - Date.now()));
      const answer = await this.post("/wait", { condition, timeout, ...options });
      if (answer.triggered) return answer;
      const { message = "it is false" } = answer.last_error ?? {};
      if (Date.now() >= deadline) throw new Error(`Waited ${within} ms for ${condition}: ${message}`);
    }
  }

  #address = (path: string) => `${this.url}/rooms/${encodeURIComponent(this.id)}${path}`;
}

async function request(method: string, url: string, body?: unknown): Promise<Answer> {
  // Longer than the longest wait: only a service that hangs is given up.
  const signal = AbortSignal.timeout(40_000);
  const response = await fetch(url, { method, body: JSON.stringify(body), signal });
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}
