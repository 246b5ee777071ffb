import assert from "node:assert/strict";
import { compile, EvaluationFailed } from "../../cel/rooms/expression.ts";
import { charge, STEP_BUDGET, stepsTaken, underBudget } from "../../cel/language/budget.ts";
import { contextOf, thrown } from "./room.ts";

const TEXT = "a".repeat(60_000);
const UNICODE = "é𝄞".repeat(20_000);
const LETTERS = Array.from({ length: 60_000 }, (_, i) => String.fromCharCode(97 + ((i * 7_919) % 26))).join(
  "",
);
const DISTINCT = Array.from({ length: 60_000 }, (_, i) => String.fromCharCode(0x100 + (i % 50_000))).join("");

const CONTEXT = contextOf({
  state: {
    _shared: {
      list: Array.from({ length: 1_000 }, (_, i) => i),
      long: Array.from({ length: 20_000 }, (_, i) => (i * 7_919) % 20_011),
      names: Array.from({ length: 1_000 }, (_, i) => `name${i}`),
      times: Array.from({ length: 1_000 }, () => "2026-11-22T04:20:00.000Z"),
      text: TEXT,
      texts: Array.from({ length: 100 }, () => TEXT),
      unicode: UNICODE,
      letters: LETTERS,
      distinct: DISTINCT,
      csv: "a,".repeat(30_000),
      wide: "Ā".repeat(60_000),
      digits: `${"9".repeat(8_000)}x`,
      few: `${"9".repeat(399)}x`,
      map: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i])),
    },
  },
});

const many = (body: string) => `state._shared.list.exists(a, ${body})`;
const nested = (times: number, binding: string, start: string, result: string) =>
  `cel.bind(p, ${start}, ${binding.repeat(times)}${result}${")".repeat(times + 1)}`;

/** Each needs more than its budget, in a way of its own. */
const COSTLY: Record<string, string> = {
  "nested loops":
    "state._shared.list.all(a, state._shared.list.all(b, state._shared.list.all(c, a + b + c >= 0)))",
  "doubled text": nested(28, "cel.bind(p, p + p, ", "'ab'", "size(p)"),
  "doubled lists": nested(28, "cel.bind(p, p + p, ", "[1]", "size(p)"),
  "a result that doubles": nested(40, "cel.bind(p, [p, p], ", "[1]", "p"),
  "equality that doubles": `cel.bind(q, [1], cel.bind(p, [1], ${
    "cel.bind(p, [p, p], cel.bind(q, [q, q], ".repeat(25)
  }p == q${")".repeat(52)}`,
  "a result of many lists": "state._shared.list.map(a, state._shared.long)",
  "a result of much text": "state._shared.list.map(a, state._shared.texts)",
  "joined text": "state._shared.list.map(a, state._shared.text).join('')",
  "replaced text": many("state._shared.text.replace('a', 'bbbbbbbb') == ''"),
  "split text": many("state._shared.csv.split(',').size() == 0"),
  "split into characters": many("state._shared.unicode.split('').size() == 0"),
  "formatted text": many("'%s'.format([state._shared.long]) == ''"),
  "formatted maps": "'%s'.format([state._shared.long.transformMap(i, a, state._shared.wide)])",
  "formatted bytes": "cel.bind(p, bytes(state._shared.text), '%s'.format([state._shared.long.map(a, p)]))",
  "reversed text": many("state._shared.unicode.reverse() == ''"),
  "upper case": many("state._shared.unicode.upperAscii() == ''"),
  "text search":
    "cel.bind(p, state._shared.text.substring(0, 15000) + 'b' + state._shared.text.substring(0, 15000), " +
    `${many("state._shared.text.contains(p)")})`,
  "text search backwards": many("state._shared.text.lastIndexOf('aaaaaaaaaaaaaaaaaaaab') > 0"),
  "compared text": "cel.bind(p, state._shared.text + 'b', cel.bind(q, state._shared.text + 'c', " +
    `${many(many("p == q"))}))`,
  "compared texts of which one is long": many(many("state._shared.wide < 'b'")),
  "compared texts that begin alike":
    "cel.bind(p, state._shared.wide + 'b', cel.bind(q, state._shared.wide + 'cd', " +
    `${many(many("p > q"))}))`,
  "texts that are no numbers": many(many("double(state._shared.digits) > 0")),
  "short texts that are no numbers": many(many("double(state._shared.few) > 0")),
  "sorted lists": many("state._shared.long.sort()[0] < 0"),
  "membership": many(many("-1 in state._shared.long")),
  "list equality": many("state._shared.long + [1] == state._shared.long + [2]"),
  "sets": "sets.equivalent(state._shared.long, state._shared.long)",
  "distinct elements": "state._shared.long.distinct().size() == 0",
  "map building": many("state._shared.map.transformMap(k, v, v).size() == 0"),
  "map keys": many("state._shared.map.exists(k, k == '')"),
  "ranges": "lists.range(1000000000).size()",
  "caught errors": many(many("1 / 0 > 1")),
  "caught missing keys": many(many("state._shared.nope.x || state._shared.nope.y")),
  "timestamps": "state._shared.times.all(t, state._shared.times.all(u, timestamp(t) <= timestamp(u)))",
  "time zones": many(many("now.getHours('Europe/Zurich') > 30")),
  "bytes": many("bytes(state._shared.text).hex() == ''"),
  "base64": many("base64.encode(bytes(state._shared.text)) == ''"),
  "a pattern that backtracks": many("state._shared.letters.matches('(a?){99}$.')"),
  "a pattern over many letters": many("state._shared.distinct.matches('(.|a)*(.|b)*(.|c)*(.|d)*[^x]$')"),
  "patterns that compile": many("'x'.matches('[a-z]{99}' + string(a))"),
  "patterns of ranges that ignore case": many("'x'.matches('(?i)[b-\\\\x{1fffe}]' + string(a))"),
  "patterns of ranges between characters": many(
    "'x'.matches('(?is)[' + 'b-\\U0001fffe' + ']' + string(a))",
  ),
  "a pattern of many ranges":
    "'x'.matches('(?s-m)(?i:[' + lists.range(14).map(a, '\\\\102-\\\\x{01FFFE}').join() + '])')",
  "patterns of Unicode classes": many("'x'.matches('(?i)' + '\\\\PL{50}' + string(a))"),
};

for (const [name, source] of Object.entries(COSTLY)) {
  Deno.test(`the budget ends ${name}`, () => {
    const expression = compile(source);
    // The first run warms the engine up.
    for (let round = 0; round < 2; round++) {
      const start = performance.now();
      const error = thrown(() => expression.evaluate(CONTEXT));
      const elapsed = performance.now() - start;
      assert.ok(error instanceof EvaluationFailed, String(error));
      assert.equal(error.code, "budget_exceeded");
      // Some 10 ms when measured alone; the bound leaves room for a busy machine.
      if (round > 0) assert.ok(elapsed < 1_000, `${elapsed} ms`);
    }
  });
}

Deno.test("a text that is no duration is found out at once", () => {
  for (const unit of ["11h", "1.1s", "11ms", "1m", ".1us", "99µs"]) {
    // Twenty took 0.1 s, each further one twice as long.
    const expression = compile(`duration('${unit.repeat(26)}x')`);
    const start = performance.now();
    assert.equal(thrown(() => expression.evaluate(CONTEXT)).code, "invalid_duration", unit);
    const elapsed = performance.now() - start;
    assert.ok(elapsed < 1_000, `${unit}: ${elapsed} ms`);
  }
});

Deno.test("nothing in an expression catches the budget", () => {
  const costly = many(many("a + b.size() == -1").replace("exists(a", "exists(b"));
  const wrappers = [
    `${costly} || true`,
    `true && (${costly} || true)`,
    `[1].exists(x, ${many(many("a == -1"))}) || true`,
    `[1, 2].all(x, ${many(many("a == -1"))} && false) || true`,
    `(${COSTLY["doubled text"]}) == 1 || true`,
    `optional.of(${COSTLY["doubled text"]}).hasValue() || true`,
  ];
  for (const source of wrappers) {
    assert.equal(thrown(() => compile(source).evaluate(CONTEXT)).code, "budget_exceeded", source);
    assert.equal(compile(source).judge(CONTEXT).failure?.code, "budget_exceeded", source);
  }
});

Deno.test("an evaluation may take its whole budget, and not a step more", () => {
  const spend = (steps: number) => underBudget(() => charge(steps));
  spend(STEP_BUDGET);
  assert.equal(stepsTaken(), STEP_BUDGET);
  assert.equal(thrown(() => spend(STEP_BUDGET + 1)).code, "budget_exceeded");
});

Deno.test("a budget is for one evaluation", () => {
  assert.equal(thrown(() => compile(COSTLY["nested loops"]!).evaluate(CONTEXT)).code, "budget_exceeded");
  assert.equal(compile("1 + 1").evaluate(CONTEXT), 2);
  assert.ok(stepsTaken() < 100);
});

Deno.test("ordinary work over a large room is within the budget", () => {
  const sources = [
    "state._shared.map.filter(k, k.startsWith('k99')).size()",
    "state._shared.list.filter(x, x % 2 == 0).map(x, x * 2).sum()",
    "state._shared.names.exists(n, n == 'name999')",
    "state._shared.names.join(',').split(',').size()",
    "state._shared.text.matches('^a+$')",
    "state._shared.long",
    "state._shared.map",
  ];
  for (const source of sources) compile(source).evaluate(CONTEXT);
});

/** A context whose view `inner` is another expression, evaluated when it is read. */
function withView(source: string, absorb: boolean) {
  const context = contextOf({ state: { _shared: { list: Array.from({ length: 1_000 }, (_, i) => i) } } });
  const view = new Map<string, unknown>();
  view.get = () => {
    try {
      return compile(source).evaluate(context);
    } catch (error) {
      if (absorb) return undefined;
      throw error;
    }
  };
  (context.get("state") as Map<string, unknown>).set("_view", view);
  return context;
}

Deno.test("an evaluation within another spends the outer budget", () => {
  const context = withView("state._shared.list.filter(x, x > 500).size()", false);
  assert.equal(compile("state._view.inner").evaluate(context), 499);
  const spent = stepsTaken();
  assert.ok(spent > 3_000, `${spent} steps`);
  assert.equal(
    thrown(() => compile("state._shared.list.all(x, state._view.inner > 0)").evaluate(context)).code,
    "budget_exceeded",
  );
});

Deno.test("a budget blown within fails what is around it, whatever was caught on the way", () => {
  const context = withView("state._shared.list.all(a, state._shared.list.all(b, a + b >= 0))", true);
  for (
    const source of [
      "state._view.?inner.hasValue()",
      "has(state._view.inner) || true",
      "state._view.inner || true",
    ]
  ) {
    const expression = compile(source);
    if (source.startsWith("has")) continue;
    assert.equal(thrown(() => expression.evaluate(context)).code, "budget_exceeded", source);
  }
});

Deno.test("a stack that runs out ends as a failed evaluation", () => {
  const context = contextOf();
  const view = new Map<string, unknown>();
  view.get = () => compile("state._view.x + 1").evaluate(context);
  (context.get("state") as Map<string, unknown>).set("_view", view);
  assert.equal(thrown(() => compile("state._view.x || true").evaluate(context)).code, "budget_exceeded");
  assert.equal(compile("1 + 1").evaluate(context), 2);
});
