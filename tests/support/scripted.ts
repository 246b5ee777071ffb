import assert from "node:assert/strict";

export interface Scripted {
  /** To be given to `connect`. */
  fetch: typeof fetch;
  /** Paths and queries of what was sent, in order. */
  sent: string[];
}

/** Answers requests with the next of these, in order. One that is not foreseen fails the test. */
export function scripted(...answers: Response[]): Scripted {
  const sent: string[] = [];
  return {
    sent,
    fetch: (input) => {
      const { pathname, search } = new URL(String(input));
      sent.push(pathname + search);
      const answer = answers.shift();
      assert.ok(answer, `${sent.length} requests: ${sent.join(", ")}`);
      return Promise.resolve(answer);
    },
  };
}

export function answer(body: unknown, revision = 0): Response {
  return new Response(JSON.stringify(body), { headers: { "Convene-Revision": String(revision) } });
}

/** What a CDN says of a service that is away. */
export function away(status: number): Response {
  return new Response("<h1>Web server is down</h1>", { status });
}

/** A stream of changes that ends after them. */
export function streamed(...changes: Array<{ revision: number }>): Response {
  return new Response(
    changes.map((change) => `id: ${change.revision}\ndata: ${JSON.stringify(change)}\n\n`).join(""),
    { headers: { "Content-Type": "text/event-stream" } },
  );
}

export interface Sent {
  method: string;
  path: string;
  // deno-lint-ignore no-explicit-any -- a body is the JSON that the contract describes
  body: any;
  key: string | null;
}

/** Answers each request with what `act` makes of it, and aborts those whose callers leave, as `fetch` does. */
export function acted(
  act: (request: Sent) => Response | Promise<Response>,
): { fetch: typeof fetch; sent: Sent[] } {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: async (input, init) => {
      const { pathname, search } = new URL(String(input));
      const request = {
        method: init?.method ?? "GET",
        path: pathname + search,
        body: init?.body === undefined ? undefined : JSON.parse(String(init.body)),
        key: new Headers(init?.headers).get("Idempotency-Key"),
      };
      sent.push(request);
      const left = Promise.withResolvers<never>();
      const leave = () => left.reject(new DOMException("The signal has been aborted", "AbortError"));
      init?.signal?.addEventListener("abort", leave);
      try {
        init?.signal?.throwIfAborted();
        return await Promise.race([act(request), left.promise]);
      } finally {
        init?.signal?.removeEventListener("abort", leave);
      }
    },
  };
}

/** A refusal of the service. */
export function refusal(status: number, error: string, facts: object = {}): Response {
  return new Response(JSON.stringify({ error, message: `It is ${error}.`, ...facts }), { status });
}
