import assert from "node:assert/strict";
import {
  type Condition,
  conditionOf,
  judgeCondition,
  type JudgedCondition,
} from "../../cel/rooms/conditions.ts";
import { toCel } from "../../cel/language/values.ts";

/** A condition in brackets: `[all ...]`, `[any ...]` and the sources of its parts. */
function outline(condition: Condition): string {
  if ("all" in condition) return `[all ${condition.all.map(outline).join(" ")}]`;
  if ("any" in condition) return `[any ${condition.any.map(outline).join(" ")}]`;
  return `<${condition.source}>`;
}

const SPLITS: Array<[string, string]> = [
  ["true", "<true>"],
  ["messages.count > 1", "<messages.count > 1>"],
  ["has(state._shared.a) && self == 'x'", "[all <has(state._shared.a)> <self == 'x'>]"],
  [
    "messages.count > 1 && messages.count > 2 && messages.count > 3",
    "[all <messages.count > 1> <messages.count > 2> <messages.count > 3>]",
  ],
  [
    "(messages.count > 1 && (messages.unclaimed == 0)) || !(messages.count > 3)",
    "[any [all <messages.count > 1> <messages.unclaimed == 0>] <!(messages.count > 3)>]",
  ],
  [
    "(messages.count + 1) * 2 == 4 && agents.all(a, a != '(')",
    "[all <(messages.count + 1) * 2 == 4> <agents.all(a, a != '(')>]",
  ],
  [
    "(((messages.count)) + 1) * (2) > ((1)) && messages.count == ((((2)) + (1)))",
    "[all <(((messages.count)) + 1) * (2) > ((1))> <messages.count == ((((2)) + (1)))>]",
  ],
  ["(size('(') == 1 || self == ')') && true", "[all [any <size('(') == 1> <self == ')'>] <true>]"],
  ["true ? false || true : false", "<true ? false || true : false>"],
  ["nonsense(", "<nonsense(>"],
];

for (const [source, expected] of SPLITS) {
  Deno.test(`taken apart: ${source}`, async () => {
    assert.equal(outline(await conditionOf(source, { left: Infinity })), expected);
  });
}

const context = new Map<string, unknown>(Object.entries({
  state: toCel({ _shared: { phase: "planning", n: 2 } }),
  agents: new Map(),
  messages: toCel({ count: 1, unclaimed: 0 }),
  self: "ann",
  now: new Date(),
}));

const judge = async (source: string, left = Infinity): Promise<JudgedCondition> =>
  await judgeCondition(await conditionOf(source, { left: Infinity }), context, { left });

Deno.test("each part has its present truth, and so has the whole where that is decided", async () => {
  const judged = await judge(
    "state._shared.phase == 'scoring' && (state._shared.n > 1 || state._shared.missing == 1)",
  );
  assert.ok("all" in judged);
  assert.equal(judged.truth, false);
  const [phase, either] = judged.all;
  assert.equal(phase!.truth, false);
  assert.ok("any" in either!);
  assert.equal(either.truth, true);
  assert.deepEqual(either.any.map(({ truth }) => truth), [true, undefined]);
  const [, missing] = either.any;
  assert.ok("source" in missing! && missing.error?.code === "no_such_key");
});

Deno.test("a part that is no truth has its value; without time nothing is told", async () => {
  const value = await judge("state._shared.n");
  assert.ok("source" in value);
  assert.deepEqual([value.truth, value.value], [true, 2]);
  assert.equal((await judge("state._shared.n", 0)).truth, undefined);
});
