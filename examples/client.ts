// deno-lint-ignore no-explicit-any -- an answer is the JSON that the guide describes
export type Answer = any;

/** An answer with an error: `code` is its stable word, `answer` all that it says. */
export class Refused extends Error {
  readonly code: string;

  constructor(readonly status: number, readonly answer: Answer) {
    super([`${status} ${answer.error}: ${answer.message}`, answer.hint].filter(Boolean).join(" "));
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

/** A room of Convene. Paths are those below `/rooms/<id>`. `token` says who asks, where the room wants to know. */
export class Room {
  constructor(readonly url: string, readonly id: string, readonly token?: string) {}

  /** Creates the room, or joins it if it exists. */
  static async open(url: string, id: string = crypto.randomUUID()): Promise<Room> {
    await request("POST", `${url}/rooms`, { id });
    return new Room(url, id);
  }

  /** Creates a room that answers nobody without a token, as its admin. */
  static async lock(url: string): Promise<Room> {
    const { id, token } = await request("POST", `${url}/rooms`, { locked: true });
    return new Room(url, id, token);
  }

  /**
   * Joins by an invitation, `http://.../join/7KQ2M-X9D4T`: it says to which room, and as whom. With `private: true` what
   * stands in the scope of its name is its own.
   */
  static async join(invitation: string, joiner = {}): Promise<{ room: Room; agent: string }> {
    const { room, agent, token } = await request("POST", invitation, joiner);
    return { room: new Room(new URL(invitation).origin, room, token), agent };
  }

  get = (path: string) => request("GET", this.#address(path), undefined, this.token);
  post = (path: string, body: unknown) => request("POST", this.#address(path), body, this.token);
  put = (path: string, body: unknown) => request("PUT", this.#address(path), body, this.token);

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

async function request(method: string, url: string, body?: unknown, token?: string): Promise<Answer> {
  const headers = token === undefined ? undefined : { Authorization: `Bearer ${token}` };
  // Longer than the longest wait: only a service that hangs is given up.
  const signal = AbortSignal.timeout(40_000);
  const response = await fetch(url, { method, headers, body: JSON.stringify(body), signal });
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}
