import assert from "node:assert/strict";
import { judgeAll } from "../../cel/waits/conditions/judge_waiters.ts";
import { createWaiter, type Waiter, type WaitResult } from "../../cel/waits/conditions/waiter.ts";
import { compile, type Expression } from "../../cel/rooms/expression.ts";
import type { RoomData } from "../../cel/rooms/reader.ts";
import { convertFacts } from "../../cel/rooms/message_root.ts";
import { NOTHING } from "../../cel/rooms/definitions.ts";

const NO_FACTS = { last: 0, kind: new Map(), to: new Map(), from: new Map(), id: new Map() };
const LIST = `[${Array.from({ length: 100 }, (_, n) => n).join(", ")}]`;
/** Takes some 50,000 steps. */
const COSTLY = `${LIST}.all(x, ${LIST}.all(y, x + y >= 0))`;

const DATA = {
  definitions: new Map(),
  reads: NOTHING,
  scopes: new Map([["_shared", new Map()]]),
  hidden: new Map(),
  metas: new Map(),
  facts: await convertFacts(NO_FACTS),
  snapshot: {
    now: new Date(0),
    revisions: { revision: 1, state: 1, private: 0, views: 0, agents: 0, messages: 0 },
    counts: { count: 0, unclaimed: 0 },
    facts: NO_FACTS,
    entries: [],
    hidden: false,
    owners: new Map(),
    hiddenEntries: [],
    agents: [],
    waits: [],
    agentIds: [],
    extra: [],
  },
} as unknown as RoomData;

/** Judges a final wait in a room whose `steps` are known so far. Returns the answer and the lengths of its pieces. */
async function judged(
  condition: Expression,
  steps: WeakMap<Expression, number>,
  meanwhile: (waiter: Waiter, length: string) => void = () => {},
) {
  const answers: unknown[] = [];
  const waiter = createWaiter({ condition, include: {}, room: "r", timeout: 0 } as never, {
    wait: "w",
    began: 0,
    final: true,
    settle: (result) => void answers.push((result as WaitResult).triggered),
  });
  const lengths: string[] = [];
  const run = <T>(length: string, piece: () => T) => {
    lengths.push(length);
    meanwhile(waiter, length);
    return Promise.resolve(piece());
  };
  await judgeAll({ waiters: [waiter], answerable: new Set([waiter]) }, DATA, 0, { run, steps });
  return { answers, lengths };
}

Deno.test("a condition that is new to a room is short work first; what is known to be costly is long work", async () => {
  const steps = new WeakMap<Expression, number>();
  const [costly, cheap] = [compile(COSTLY), compile("1 < 2")];
  assert.deepEqual(await judged(costly, steps), { answers: [true], lengths: ["short", "long"] });
  assert.deepEqual(await judged(costly, steps), { answers: [true], lengths: ["long"] });
  for (let n = 0; n < 2; n++) {
    assert.deepEqual(await judged(cheap, steps), { answers: [true], lengths: ["short"] });
  }
  const ofViews = compile("size(state._view) == 0");
  assert.deepEqual((await judged(ofViews, steps)).lengths, ["long"], "a view keeps what it came to");
  assert.deepEqual((await judged(ofViews, steps)).lengths, ["short"]);
});

Deno.test("a wait that ends while it waits for its turn is not judged", async () => {
  const steps = new WeakMap<Expression, number>();
  const condition = compile(`${COSTLY} && true`);
  const { answers } = await judged(condition, steps, (waiter, length) => waiter.over = length === "long");
  assert.deepEqual(answers, []);
  assert.equal(steps.has(condition), false);
});
