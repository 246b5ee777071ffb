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
  );
}
