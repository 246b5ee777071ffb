import assert from "node:assert/strict";
import fc from "fast-check";
import { applyEdit, type Edit } from "../../db/state/edit.ts";
import type { Json } from "../../db/json.ts";
import { DATABASES } from "../support/databases.ts";
import { type Answered, type Ask, withInstances } from "../support/instances.ts";

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

/** Gates in CEL over the state of a scope, and what they mean. */
const GATES: Array<
  [cel: (state: string) => string | undefined, holds: (found: Json | undefined) => boolean]
> = [
  [() => undefined, () => true],
  [() => undefined, () => true],
  [
    (state) => `!has(${state}.k) || type(${state}.k) == list`,
    (found) => found === undefined || Array.isArray(found),
  ],
];

interface Answer {
  revision: number;
  write: number;
  gate: number;
  status: number;
  changed: boolean;
  /** It wrote nothing, but made the scope private. */
  hides?: true;
  value: Json;
}

/** Fails unless there is one order in which each write was made on what those before it left. */
function check(answers: Answer[], from: number): Json | undefined {
  const values = new Map<number, Json | undefined>([[from, undefined]]);
  let left: Json | undefined;
  const changes = answers.filter(({ changed }) => changed).sort((a, b) => a.revision - b.revision);
  for (const [n, { revision, write, gate, value, hides }] of changes.entries()) {
    assert.equal(revision, from + n + 1, "each write has a revision of its own");
    values.set(revision, left);
    if (hides) continue;
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

/** Writes to be sent at once: which, behind which gate, and at which instance. */
function drawn(): Array<Array<[write: number, gate: number, at: number]>> {
  console.log(`chains of edits: seed ${SEED}`);
  const step = fc.tuple(fc.nat(WRITES.length - 1), fc.nat(GATES.length - 1), fc.nat(7));
  const round = fc.array(step, { minLength: AT_ONCE, maxLength: AT_ONCE });
  return fc.sample(round, { seed: SEED, numRuns: ROUNDS });
}

/** Sends one write, by an agent of its own. Most go to one instance, so that chains are long. */
async function send(
  ask: Ask,
  { room, scope, token }: { room: string; scope: string; token?: string },
  [write, gate, at]: [number, number, number],
  n: number,
): Promise<Answer> {
  const by = `a${n}`;
  const body = { key: "k", scope, agent: by, ...WRITES[write]![0], if: GATES[gate]![0](`state.${scope}`) };
  const headers: Record<string, string> = at === 7 ? { "Idempotency-Key": `key ${room} ${n}` } : {};
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await ask(at === 0 ? 1 : 0, "PUT", `/rooms/${room}/state`, body, headers);
  assert.ok([200, 409].includes(answer.status), JSON.stringify(answer.body));
  const changed = answer.status === 200 && answer.body.updated_by === by;
  return { ...answer, write, gate, changed, value: answer.body.value };
}

for (const kind of Object.keys(DATABASES)) {
  Deno.test(`${kind}: edits that come at once, at two instances, are each made on what those before it left`, () =>
    withInstances(kind, async (ask) => {
      for (const [round, steps] of drawn().entries()) {
        const room = `r${round}`;
        await ask(0, "POST", "/rooms", { id: room });
        const place = { room, scope: "_shared" };
        const left = check(await Promise.all(steps.map((step, n) => send(ask, place, step, n))), 0);
        const { body } = await ask(1, "GET", `/rooms/${room}/state?key=k`);
        assert.deepEqual(body.value, left);
      }
    }));

  Deno.test(`${kind}: edits in an agent's scope are, though it becomes private between them`, () =>
    withInstances(kind, async (ask) => {
      for (const [round, steps] of drawn().entries()) {
        const { body: { id: room, token } } = await ask(0, "POST", "/rooms", { locked: true });
        const headers = { Authorization: `Bearer ${token}` };
        const register = (more: object) =>
          ask(1, "POST", `/rooms/${room}/agents`, { id: "own", name: "Own", secure: true, ...more }, headers);
        const { revision } = await register({});
        const sent = steps.map((step, n) => {
          const written = send(ask, { room, scope: "own", token }, step, n);
          return n === round ? [register({ private: true }).then(hidden), written] : [written];
        });
        const left = check(await Promise.all(sent.flat()), revision);
        const { body } = await ask(1, "GET", `/rooms/${room}/state?scope=own&key=k`, undefined, headers);
        assert.deepEqual(body.value, left);
      }
    }));
}

/** A registration that makes a scope private: a change that leaves its values as they are. */
function hidden({ status, revision, body }: Answered): Answer {
  assert.deepEqual([status, body.private], [200, true], JSON.stringify(body));
  return { status, revision, changed: true, hides: true, write: 0, gate: 0, value: null };
}
