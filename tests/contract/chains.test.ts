import assert from "node:assert/strict";
import fc from "fast-check";
import { DATABASES } from "../support/databases.ts";
import { withInstances } from "../support/instances.ts";

const SEED = Number(Deno.env.get("CHAINS_SEED") ?? Date.now() % 2 ** 31);
const ROUNDS = 12;
const AT_ONCE = 24;

type State = Record<string, number>;

/** Gates in CEL and as what they mean. */
const GATES: Array<[cel: string, holds: (state: State) => boolean]> = [
  ["!has(state._shared.a)", (state) => !("a" in state)],
  ["state._shared.?a.orValue(0) % 2 == 0", (state) => (state.a ?? 0) % 2 === 0],
  [
    "state._shared.?a.orValue(0) <= state._shared.?b.orValue(0)",
    (state) => (state.a ?? 0) <= (state.b ?? 0),
  ],
  ["state._shared.size() < 3", (state) => Object.keys(state).length < 3],
  ["state._view.twice < 20", (state) => 2 * (state.a ?? 0) < 20],
  ["state._shared.c == 1", (state) => state.c === 1],
];

/** Writes, and what they leave. */
const WRITES: Array<[method: string, path: string, body: object, leaves: (state: State) => State]> = [
  ["PUT", "/state", { key: "a", increment: 1 }, (state) => ({ ...state, a: (state.a ?? 0) + 1 })],
  ["PUT", "/state", { key: "b", increment: 2 }, (state) => ({ ...state, b: (state.b ?? 0) + 2 })],
  ["PUT", "/state", { key: "c", value: 1 }, (state) => ({ ...state, c: 1 })],
  ["DELETE", "/state", { key: "c" }, ({ c: _, ...state }) => state],
  ["DELETE", "/state", { key: "a" }, ({ a: _, ...state }) => state],
  [
    "PUT",
    "/state/batch",
    { writes: [{ key: "a", value: 3 }, { key: "b", increment: -1 }, { key: "a", increment: 1 }] },
    (state) => ({ ...state, a: 4, b: (state.b ?? 0) - 1 }),
  ],
];

/** An answer that a revision of the room explains. */
interface Answer {
  revision: number;
  gate: number;
  write: number;
  done: boolean;
  changed: boolean;
}

/** Fails unless there is one order of the writes in which each gate was judged on what the ones before it left. */
function check(answers: Answer[], from: number): State {
  const states = new Map<number, State>();
  let state: State = states.set(from, {}).get(from)!;
  const changes = answers.filter(({ changed }) => changed).sort((a, b) => a.revision - b.revision);
  for (const [n, { revision, gate, write }] of changes.entries()) {
    assert.equal(revision, from + n + 1, "each write has a revision of its own");
    assert.ok(GATES[gate]![1](state), `${GATES[gate]![0]} held over ${JSON.stringify(state)}`);
    state = WRITES[write]![3](state);
    states.set(revision, state);
  }
  for (const { revision, gate, done } of answers.filter(({ changed }) => !changed)) {
    const seen = states.get(revision)!;
    assert.equal(GATES[gate]![1](seen), done, `${GATES[gate]![0]} over ${JSON.stringify(seen)}`);
  }
  return state;
}

for (const kind of Object.keys(DATABASES)) {
  Deno.test(`${kind}: gated writes that come at once, at two instances, are judged each on what those before it left`, async () => {
    console.log(`chains: seed ${SEED}`);
    await withInstances(kind, async (ask) => {
      const draws = fc.sample(
        fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.nat(7)), { minLength: AT_ONCE, maxLength: AT_ONCE }),
        { seed: SEED, numRuns: ROUNDS },
      );
      for (const [round, drawn] of draws.entries()) {
        const path = `/rooms/r${round}`;
        await ask(0, "POST", "/rooms", { id: `r${round}` });
        const twice = { scope: "_view", key: "twice", expr: "2 * state._shared.?a.orValue(0)" };
        const made = await ask(0, "PUT", `${path}/state`, twice);
        const from = made.revision;
        const answers = await Promise.all(drawn.map(async ([gate, write, at], n): Promise<Answer> => {
          const [method, to, members] = WRITES[write]!;
          const headers = at === 7 ? { "Idempotency-Key": `key ${round} ${n}` } : undefined;
          // Most go to one instance, so that chains are long.
          const { status, revision, body } = await ask(at === 0 ? 1 : 0, method, path + to, {
            ...members,
            if: GATES[gate]![0],
          }, headers);
          assert.ok([200, 409].includes(status), JSON.stringify(body));
          const done = status === 200;
          return { revision, gate, write, done, changed: done && body.deleted !== false };
        }));
        const expected = check(answers, from);
        const { body: entries } = await ask(1, "GET", `${path}/state?scope=_shared`, undefined);
        const left = Object.fromEntries(
          entries.map(({ key, value }: { key: string; value: number }) => [key, value]),
        );
        assert.deepEqual(left, Object.fromEntries(Object.entries(expected).sort()));
      }
    });
  });
}
