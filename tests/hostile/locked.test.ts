import assert from "node:assert/strict";
import { Connection } from "../../bench/support/connection.ts";
import { onFilled } from "../support/filled.ts";
import { bearer } from "../support/tokens.ts";

const PAIRS = 1_000;

/**
 * Standard deviations by which the ranks of two samples of one distribution lie apart: more than this once in 15,000
 * samples.
 */
const MOST_APART = 4;

/** Requests that look for a room, each on its own way to the database. */
const REQUESTS: Record<string, [method: string, path: (room: string) => string, body?: unknown]> = {
  "a room": ["GET", (room) => `/rooms/${room}`],
  "a list": ["GET", (room) => `/rooms/${room}/messages`],
  "a put": ["PUT", (room) => `/rooms/${room}/state`, { key: "turn", value: 1 }],
  "a page": ["GET", (room) => `/?room=${room}`],
};

/** The normal deviate of the ranks of the first sample among both (Mann and Whitney's U). */
function deviate(one: number[], two: number[]): number {
  const all = [...one.map((value) => ({ value, own: true })), ...two.map((value) => ({ value, own: false }))]
    .sort((a, b) => a.value - b.value);
  const ranks = all.reduce((sum, { own }, n) => own ? sum + n + 1 : sum, 0);
  const [n, m] = [one.length, two.length];
  return (ranks - n * (n + m + 1) / 2) / Math.sqrt(n * m * (n + m + 1) / 12);
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

onFilled(() => Promise.resolve(), {
  async [`${PAIRS} requests do not tell a locked room from none by their time`]({ kind, url }) {
    const connection = await Connection.open(url);
    const { id, token } = await (await fetch(`${url}/rooms`, {
      method: "POST",
      body: JSON.stringify({ locked: true }),
    })).json();
    const headers = bearer(token);
    for (let n = 0; n < 50; n++) {
      await fetch(`${url}/rooms/${id}/messages`, { method: "POST", headers, body: '{"body":1}' })
        .then((response) => response.body?.cancel());
    }
    const none = crypto.randomUUID();
    for (const [what, [method, path, body]] of Object.entries(REQUESTS)) {
      const times = { [id]: [] as number[], [none]: [] as number[] };
      for (let n = -100; n < PAIRS; n++) {
        // In a drawn order, since the first of a pair may be slower.
        for (const room of Math.random() < 0.5 ? [id, none] : [none, id]) {
          const began = performance.now();
          assert.equal((await connection.request(method, path(room), body)).status, 404);
          if (n >= 0) times[room]!.push(performance.now() - began);
        }
      }
      const apart = deviate(times[id]!, times[none]!);
      const medians = [id, none].map((room) => `${(1_000 * median(times[room]!)).toFixed(0)} µs`);
      console.log(`${kind}, ${what}: medians ${medians.join(" and ")}, ranks ${apart.toFixed(2)} apart`);
      assert.ok(Math.abs(apart) < MOST_APART, `${what}: ${apart.toFixed(2)} standard deviations`);
    }
    connection.close();
  },
});
