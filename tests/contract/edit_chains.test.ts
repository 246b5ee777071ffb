import assert from "node:assert/strict";
import fc from "fast-check";
import { applyEdit, type Edit } from "../../db/state/edit.ts";
import type { Json } from "../../db/json.ts";
import { DATABASES } from "../support/databases.ts";
import { withInstances } from "../support/instances.ts";

const SEED = Number(Deno.env.get("CHAINS_SEED") ?? Date.now() % 2 ** 31);
const ROUNDS = 8;
const AT_ONCE = 24;

/** Writes of one key, and what each leaves of a value: undefined where it is refused. */
const WRITES: Array<[body: object, leaves: (found: Json | undefined) => Json | undefined]> = [
  edit({ append: 1 }, { kind: "append", items: [1] }),
  edit({ append_all: [2, "\u0000"] }, { kind: "append", items: [2, "\u0000"] }),
  edit({ remove: 1 }, { kind: "remove", item: 1 }),
  edit({ remove: { a: 1, b: 0.1 } }, { kind: "remove", item: { a: 1, b: 0.1 } }),
  edit({ set: { "/0": 9 } }, { kind: "change", changes: [{ path: "/0", tokens: ["0"], value: 9 }] }),
  edit({ merge: { n: 1 } }, { kind: "merge", patch: { n: 1 } }),
  [{ value: [] }, () => []],
  [{ value: { n: 0 } }, () => ({ n: 0 })],
  [{ increment: 0.25 }, (found = 0) => typeof found === "number" ? found + 0.25 : undefined],
  [{ value: 0.5 }, () => 0.5],
];

function edit(body: object, made: Edit): typeof WRITES[number] {
  return [body, (found) => {
    const result = applyEdit(found, made);
    return "path" in result ? undefined : result.value;
  }];
}

/** Gates in CEL, and what they mean. */
const GATES: Array<[cel: string | undefined, holds: (found: Json | undefined) => boolean]> = [
  [undefined, () => true],
  [undefined, () => true],
  [
    "!has(state._shared.k) || type(state._shared.k) == list",
    (found) => found === undefined || Array.isArray(found),
  ],
];

interface Answer {
  revision: number;
  write: number;
  gate: number;
  status: number;
  changed: boolean;
  value: Json;
}

/** Fails unless there is one order in which each write was made on what those before it left. */
function check(answers: Answer[], from: number): Json | undefined {
  const values = new Map<number, Json | undefined>([[from, undefined]]);
  let left: Json | undefined;
  const changes = answers.filter(({ changed }) => changed).sort((a, b) => a.revision - b.revision);
  for (const [n, { revision, write, gate, value }] of changes.entries()) {
    assert.equal(revision, from + n + 1, "each write has a revision of its own");
    const told = `${JSON.stringify(WRITES[write]![0])} at ${revision} of ${JSON.stringify(left)}`;
    assert.ok(GATES[gate]![1](left), told);
    left = WRITES[write]![1](left);
    assert.deepEqual(value, left, told);
    values.set(revision, left);
  }
  for (const { revision, write, gate, status } of answers.filter(({ changed }) => !changed)) {
    const found = values.get(revision);
    const told = `${JSON.stringify(WRITES[write]![0])} at ${revision} of ${JSON.stringify(found)}`;
    const leaves = GATES[gate]![1](found) ? WRITES[write]![1](found) : undefined;
    if (status === 200) assert.deepEqual(leaves, found, told);
    else assert.equal(leaves, undefined, told);
  }
  return left;
}

for (const kind of Object.keys(DATABASES)) {
  Deno.test(`${kind}: edits that come at once, at two instances, are each made on what those before it left`, () => {
    console.log(`chains of edits: seed ${SEED}`);
    return withInstances(kind, async (ask) => {
      const step = fc.tuple(fc.nat(WRITES.length - 1), fc.nat(GATES.length - 1), fc.nat(7));
      const draws = fc.sample(fc.array(step, { minLength: AT_ONCE, maxLength: AT_ONCE }), {
        seed: SEED,
        numRuns: ROUNDS,
      });
      for (const [round, drawn] of draws.entries()) {
        const path = `/rooms/r${round}/state`;
        await ask(0, "POST", "/rooms", { id: `r${round}` });
        const answers = await Promise.all(drawn.map(async ([write, gate, at], n): Promise<Answer> => {
          const members = { key: "k", agent: `a${n}`, ...WRITES[write]![0], if: GATES[gate]![0] };
          const headers = at === 7 ? { "Idempotency-Key": `key ${round} ${n}` } : undefined;
          // Most go to one instance, so that chains are long.
          const { status, revision, body } = await ask(at === 0 ? 1 : 0, "PUT", path, members, headers);
          assert.ok([200, 409].includes(status), JSON.stringify(body));
          const changed = status === 200 && body.updated_by === `a${n}`;
          return { revision, write, gate, status, changed, value: body.value };
        }));
        const left = check(answers, 0);
        const { body } = await ask(1, "GET", `${path}?key=k`);
        assert.deepEqual(body.value, left);
      }
    });
  });
}
