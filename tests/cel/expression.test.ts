import assert from "node:assert/strict";
import { compile, EvaluationFailed, InvalidExpression } from "../../cel/rooms/expression.ts";
import { MAX_SOURCE } from "../../cel/language/environment.ts";
import { agent, contextOf, evaluate, thrown } from "./room.ts";

/** Cases of one behaviour: source, result, and the `_shared` keys where they matter. */
function gives(name: string, cases: Array<[source: string, result: unknown]>, shared = {}, room = {}) {
  Deno.test(name, () => {
    for (const [source, result] of cases) assert.deepEqual(evaluate(source, shared, room), result, source);
  });
}

/** Cases that are refused: source, code, position, and a part of the hint. */
function refuses(
  name: string,
  cases: Array<[source: string, code: string, position: number, hint?: RegExp]>,
) {
  Deno.test(name, () => {
    for (const [source, code, position, hint] of cases) {
      const error = thrown(() => compile(source));
      assert.ok(error instanceof InvalidExpression, `${source}: ${error}`);
      assert.deepEqual([error.code, error.position], [code, position], `${source}: ${error.message}`);
      assert.doesNotMatch(error.message, /\n/);
      if (hint) assert.match(error.hint ?? "", hint, source);
    }
  });
}

/** Cases that parse, and fail over an empty room or the one given. */
function fails(
  name: string,
  cases: Array<[source: string, code: string, hint?: RegExp]>,
  shared = {},
  room = {},
) {
  Deno.test(name, () => {
    for (const [source, code, hint] of cases) {
      const expression = compile(source);
      const error = thrown(() =>
        expression.evaluate(
          contextOf({ ...room, state: { _shared: shared, ...(room as never as { state: object }).state } }),
        )
      );
      assert.ok(error instanceof EvaluationFailed, `${source}: ${error}`);
      assert.equal(error.code, code, `${source}: ${error.message}`);
      assert.doesNotMatch(error.message, /\n/);
      if (hint) assert.match(error.hint ?? "", hint, source);
    }
  });
}

const SHARED = {
  turn: 3,
  ratio: 0.5,
  zero: 0,
  list: [1, 2, 3],
  mixed: [1, "a", null, { b: 2 }],
  names: ["ann", "bob"],
  m: { a: 1 },
  phase: "play",
  nothing: null,
  flag: true,
  "a-b": 7,
  constructor: 1,
  toString: 2,
  __proto__x: 3,
};

gives("numbers of the room mix with literals", [
  ["state._shared.turn + 1", 4],
  ["1 + state._shared.turn", 4],
  ["state._shared.turn - 1", 2],
  ["state._shared.ratio * 2", 1],
  ["state._shared.turn / 2", 1.5],
  ["state._shared.turn % 2 == 1", true],
  ["7 % state._shared.turn", 1],
  ["state._shared.turn + 1u", 4],
  ["-state._shared.turn", -3],
  ["messages.count + 1", 1],
  ["messages.count == 0", true],
  ["messages.count < 1 && messages.unclaimed <= 0", true],
  ["1.5 + 1", 2.5],
  ["1.0 == 1", true],
  ["1 < 1.5", true],
  ["size(state._shared.list) / 2.0", 1.5],
  ["3 / 2", 1],
  ["-7 / 2", -3],
  ["7 % 3", 1],
  ["1 / 2 + 0.5", 0.5],
], SHARED);

gives("lists of the room take integers and whole doubles", [
  ["state._shared.list[0]", 1],
  ["state._shared.list[state._shared.turn - 1]", 3],
  ["[7, 8, 9][1.0]", 8],
  ["1 in state._shared.list", true],
  ["4 in state._shared.list", false],
  ["state._shared.list == [1, 2, 3]", true],
  ["[1, 2] == state._shared.list", false],
  ["state._shared.m == {'a': 1}", true],
  ["{'a': 1u} == state._shared.m", true],
  ["state._shared.list + ['x']", [1, 2, 3, "x"]],
  ["state._shared.mixed + state._shared.list", [1, "a", null, { b: 2 }, 1, 2, 3]],
  ["size(state._shared.list) == 3", true],
  ["state._shared.list.size() > 2", true],
  ["state._shared.list.sum()", 6],
  ["state._shared.list.max() + 1", 4],
  ["state._shared.list.filter(x, x > 1).map(x, x * 2)", [4, 6]],
  ["state._shared.list.all(x, x > 0) && state._shared.list.exists(x, x == 3)", true],
  ["'hello'.substring(state._shared.turn)", "lo"],
  ["'hello'.charAt(state._shared.zero)", "h"],
  ["state._shared.list.slice(0, state._shared.turn - 1)", [1, 2]],
  ["math.bitAnd(state._shared.turn, 1)", 1],
  ["lists.range(state._shared.turn)", [0, 1, 2]],
], SHARED);

gives("branches, lists and maps mix types", [
  ["true ? 1 : 'a'", 1],
  ["state._shared.flag ? [1] : {'a': null}", [1]],
  ["[1, 'a', null, 2.5, [true]]", [1, "a", null, 2.5, [true]]],
  ["{'a': 1, 'b': 'x', 'c': []}", { a: 1, b: "x", c: [] }],
  ["[[1], ['a']][1][0]", "a"],
  ["[1, 'a'].exists(x, x == 'a')", true],
  ["optional.of(1).orValue('none')", 1],
  ["[1][?3].orValue('none')", "none"],
], SHARED);

gives(
  "has() answers for dotted, bracketed and optional paths",
  [
    ["has(state._shared.turn)", true],
    ["has(state._shared.nope)", false],
    ["has(state._shared.nothing)", true],
    ["has(state['_shared']['turn'])", true],
    ["has(state['agent-a'].score)", false],
    ["has(agents['agent-a'].status)", true],
    ["has(agents['agent-a'].meta.x)", false],
    ["has(agents.bob)", false],
    ["has(state.?nope.?x)", false],
    ["has(state._shared.m.a)", true],
    ["has(state._shared.turn.x)", false],
    ["has(state._shared.list[5])", false],
    ["has(state._shared.`a-b`)", true],
    ["'turn' in state._shared", true],
    ["'nope' in state._shared", false],
    ["'agent-a' in agents && !('bob' in agents)", true],
  ],
  SHARED,
  { state: { _shared: SHARED, "agent-a": {} }, agents: { "agent-a": agent("agent-a") } },
);

gives("a missing key has defaults", [
  ["state._shared.?x.orValue(0)", 0],
  ["state._shared[?'x'].orValue(state._shared.turn)", 3],
  ["state.?nobody.?x.hasValue()", false],
  ["state._shared.?turn.optMap(t, t + 1).orValue(0)", 4],
  ["state._shared.?m.optFlatMap(m, m.?a).value()", 1],
  ["state._shared.?m.a.orValue(9)", 1],
], SHARED);

gives("a number may begin with its point", [
  [".99", 0.99],
  ["-.5 + .5e+1", 4.5],
  [".05 in [.05, .1]", true],
  ["[true ?.5 : .25]", [0.5]],
  ["{'a': .5}.a", 0.5],
  ["state._shared.ratio == .5 && .25 < .5", true],
  ["'.5'", ".5"],
  ["1.5", 1.5],
], SHARED);

gives("optional elements and entries that are empty are left out", [
  ["[?state._shared.?nope, 2, ?state._shared.?turn]", [2, 3]],
  ["{?'a': state._shared.?nope, ?'b': state._shared.?turn, 'c': 1}", { b: 3, c: 1 }],
  ["[?(true ? optional.of(.5) : optional.none())]", [0.5]],
  ["[[?optional.none()], ?optional.of(2)]", [[], 2]],
  ["{'a': [1, ?state._shared.?nope]}['a'][?1].orValue(7)", 7],
  ["[ // one\n ?optional.of(1), ?\n optional.none()]", [1]],
  ["[?optional.of(1)].exists(x, x == 1)", true],
  ["'[?a]' + '{?k: v}'", "[?a]{?k: v}"],
  ["[state._shared.flag ? 1 : 2]", [1]],
  ["[?state._shared.?turn][0] + 1", 4],
], SHARED);

Deno.test("what optional elements read is known", () => {
  const { reads } = compile("[?state._shared.?x, ?agents.?bob]");
  assert.deepEqual(reads.state, { scopes: [], keys: [{ scope: "_shared", key: "x" }] });
  assert.deepEqual(reads.agents, ["bob"]);
});

gives("a key named like a prototype's member is just a key", [
  ["state._shared.constructor + state._shared.toString", 3],
  ["has(state._shared.hasOwnProperty)", false],
  ["state._shared.?valueOf.hasValue()", false],
  ["{'constructor': 1, 'toString': 2, '__proto__x': 3}.constructor", 1],
  ["has({}.constructor)", false],
], SHARED);

Deno.test("map literals keep a key __proto__, and touch no prototype", () => {
  const result = evaluate("{'__proto__': {'polluted': true}, 'a': 1}");
  assert.equal(JSON.stringify(result), '{"__proto__":{"polluted":true},"a":1}');
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

gives("quoted fields are read by their names", [
  ["state._shared.`a-b` + 1", 8],
  ["{'a.b': 1, 'c d': 2}.`a.b`", 1],
  ["'`a-b`' + '.`c`'", "`a-b`.`c`"],
  ["state._shared.?`a-b`.orValue(0)", 7],
], SHARED);

gives(
  "times compare, and show as ISO 8601 in milliseconds",
  [
    ["timestamp(agents.bob.last_heartbeat) > now - duration('60s')", true],
    ["timestamp(agents.bob.last_heartbeat) > now - duration('10s')", false],
    ["now", "2026-11-22T04:20:30.000Z"],
    ["now - timestamp('2026-11-22T04:20:00Z')", "30s"],
    ["timestamp('2026-11-22T04:20:30+01:00')", "2026-11-22T03:20:30.000Z"],
    ["string(timestamp('2026-11-22T04:20:30.500Z'))", "2026-11-22T04:20:30.5Z"],
    ["int(now)", 1795321230],
    ["timestamp(int(now)) == now", true],
    ["duration('1h30m')", "5400s"],
    ["duration('-1.5s')", "-1.5s"],
    ["duration('1.5s') - duration('2.25s')", "-0.75s"],
    ["string(duration('250ms'))", "0.25s"],
    ["now.getFullYear() == 2026 && now.getDayOfYear() == 325", true],
    ["now.getHours('+02:00') == 6 && now.getHours('Europe/Zurich') == 5", true],
    ["now.getDayOfWeek()", 0],
  ],
  {},
  { agents: { bob: agent("bob") } },
);

gives("the usual functions are there", [
  ["'a-b-c'.replace('-', '+', 1)", "a+b-c"],
  ["'a,b'.split(',')", ["a", "b"]],
  ["['a', 'b'].join('-')", "a-b"],
  ["' x '.trim() + 'Ab'.lowerAscii() + 'Ab'.upperAscii()", "xabAB"],
  ["'%s has %d, %.2f'.format(['ann', 3, 0.5])", "ann has 3, 0.50"],
  ["'𝄞x'.size() == 2 && '𝄞x'.charAt(1) == 'x' && '𝄞x'.indexOf('x') == 1", true],
  ["strings.quote('a\"b')", '"a\\"b"'],
  ["'abc'.reverse()", "cba"],
  ["[3, 1, 2].sort()", [1, 2, 3]],
  ["[{'n': 2}, {'n': 1}].sortBy(x, x.n).map(x, x.n)", [1, 2]],
  ["[1, 1.0, 2].distinct()", [1, 2]],
  ["[[1], [2, [3]]].flatten()", [1, 2, [3]]],
  ["[1, 2].first().value() + [1, 2].last().value()", 3],
  ["sets.contains([1, 2], [2.0]) && sets.intersects(['a'], ['a', 'b'])", true],
  ["math.greatest(1, 2.5, 2) - math.least([4, 0.5])", 2],
  ["math.ceil(1.2) + math.floor(1.8) + math.round(1.5) + math.trunc(-1.5)", 4],
  ["math.abs(-3) + math.sign(-2.0)", 2],
  ["math.isNaN(0.0 / 0.0) && math.isInf(1.0 / 0.0) && !math.isFinite(1.0 / 0.0)", true],
  ["base64.encode(b'hi')", "aGk="],
  ["base64.decode('aGk=') == b'hi'", true],
  ["{'a': 1}.transformMap(k, v, v + 1)", { a: 2 }],
  ["['x', 'y'].transformList(i, v, string(i) + v)", ["0x", "1y"]],
  ["{'a': 1, 'b': 2}.all(k, v, v > 0) && [5].exists(i, v, i == 0 && v == 5)", true],
  ["[1, 2, 3].existsOne(x, x == 2) && [1, 2].exists_one(x, x > 1)", true],
  ["cel.bind(x, state._shared.turn, x * x)", 9],
  ["type(1) == int && type(state._shared.turn) == double", true],
  ["[].all(e, e > 0) && ![].exists(e, e > 0)", true],
], SHARED);

gives("errors are absorbed where the other side decides", [
  ["state._shared.nope == 1 || true", true],
  ["true || state._shared.nope == 1", true],
  ["state._shared.nope == 1 && false", false],
  ["[0, 2].exists(x, 1 / x == 0)", true],
]);

refuses("an unknown name is refused with the near one", [
  ["stat.x", "unknown_name", 0, /`state`/],
  ["message.count", "unknown_name", 0, /`messages`/],
  ["1 + sate._shared.x", "unknown_name", 4, /`state`/],
  ["zebra", "unknown_name", 0, /`state`, `agents`/],
  ["[1].map(x, y)", "unknown_name", 11],
  ["state._shared.x.startWith('a')", "unknown_function", 16, /`startsWith`/],
  ["sise(state._shared)", "unknown_function", 0, /`size`/],
  ["'a'.startsWith(1)", "no_matching_overload", 4, /startsWith\(string\)/],
  ["math.cel(1.5)", "unknown_function", 5, /`ceil`/],
]);

refuses("what cannot exist in any room is refused", [
  ["messages.cout", "no_such_key", 9, /`count`/],
  ["messages['total'] > 1", "no_such_key", 9, /`count`, `unclaimed`/],
  ["state._messages.count > 0", "no_such_key", 6, /`messages.count`/],
  ["state._share.x", "no_such_key", 6, /`state._shared`/],
  ["state['_veiw'].x", "no_such_key", 6, /`state._view`/],
  ["agents.bob.stat == 'idle'", "no_such_key", 11, /`status`/],
  ["agents[self].heartbeat", "no_such_key", 13, /`last_heartbeat`/],
  ["self.status", "no_such_key", 5, /agents\[self\]/],
  ["has(agents.bob.lease.until)", "no_such_key", 15],
]);

Deno.test("what only answers that nothing is there is not refused", () => {
  for (
    const source of [
      "has(messages.total)",
      "messages.?total.orValue(0)",
      "'total' in messages",
      "has(state._other)",
      "has(agents.bob.lease)",
      "state.?_messages.?count.orValue(0)",
      "[{'stat': 1}].map(agents, agents.stat.x)",
      "cel.bind(messages, {'cout': 1}, messages.cout)",
      "state.bob.messages",
    ]
  ) compile(source);
});

refuses("a type error that holds for any data is refused", [
  ["1 + 'a'", "no_such_overload", 0, /string\(/],
  ["messages.count == 'a'", "no_such_overload", 0],
  ["messages.count && true", "no_such_overload", 9],
  ["'a' in [1, 2]", "no_such_overload", 0],
  ["1 in 'abc'", "no_such_overload", 0],
  ["now > '2026-11-22T04:20:00Z'", "no_such_overload", 0, /timestamp\(/],
  ["!1", "no_such_overload", 1],
  ["-'a'", "no_such_overload", 0],
  ["1 ? 2 : 3", "no_such_overload", 0],
  ["[1].map(x, x + 'a')", "no_such_overload", 11],
  ["5.exists(x, x)", "no_such_overload", 0],
  ["{[1]: 2}", "invalid_map_key", 1],
  ["now.x", "no_such_overload", 4],
  ["state > 1", "no_such_overload", 0],
  ["9223372036854775808", "invalid_integer", 0],
]);

refuses("a syntax error tells where, the length where the end is the trouble", [
  ["", "unexpected_token", 0],
  ["1 +", "unexpected_token", 3],
  ["1 + ", "unexpected_token", 4],
  ["state._shared.", "expected_token", 14],
  ["(1", "expected_token", 2],
  ["state._shared.x = 1", "unexpected_character", 16, /`==`/],
  ["true and false", "unexpected_character", 5, /`&&`/],
  ["true & false", "unexpected_character", 5, /`&&`/],
  ["1 2", "unexpected_character", 2],
  ["'𝄞' + $", "unexpected_character", 7],
  ["'abc", "unterminated_string", 0],
  ["if", "reserved_identifier", 0],
  ["has(1)", "invalid_macro_argument", 4],
  ["[1].map(1, 2)", "invalid_macro_argument", 8],
]);

refuses("an optional element has a value that is optional, a number that begins with a point an end", [
  ["[?1]", "optional_expected", 2, /\.\?key/],
  ["{?'a': 1}", "optional_expected", 7, /\.\?key/],
  ["[?]", "unexpected_character", 1],
  ["[1, ?]", "unexpected_character", 4],
  ["{?}", "unexpected_character", 1],
  ["[?, 1]", "unexpected_token", 2],
  ["f(?state.?x)", "unexpected_token", 2],
  [".5.5", "invalid_number", 0],
  ["1 + .5u", "invalid_number", 4],
  [".1e999", "invalid_number", 0],
  ["state..5", "expected_token", 6],
]);

refuses("limits on loops and length", [
  [
    "[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))",
    "too_many_loops",
    0,
  ],
  [`'${"x".repeat(MAX_SOURCE)}'`, "too_long", MAX_SOURCE],
]);

Deno.test("three nested loops, and any number side by side, are taken", () => {
  assert.equal(evaluate("[1].all(a, [1].all(b, [1].all(c, a + b + c == 3)))"), true);
  assert.deepEqual(evaluate("[1].map(a, a).map(a, a).map(a, a).map(a, a).map(a, a)"), [1]);
});

Deno.test("a source as long as the limit is taken", () => {
  const source = `'${"x".repeat(MAX_SOURCE - 2)}'`;
  assert.equal((evaluate(source) as string).length, MAX_SOURCE - 2);
});

Deno.test("no source crashes the compiler", () => {
  const sources = [
    "!".repeat(4000) + "true",
    "-".repeat(4000) + "1",
    "!".repeat(5000),
    "&&".repeat(10_000),
    "true" + "&&true".repeat(600),
    "1" + "+1".repeat(2000),
    "(".repeat(2000) + "1" + ")".repeat(2000),
    "[".repeat(2000) + "]".repeat(2000),
    "{1:".repeat(1000) + "1" + "}".repeat(1000),
    "a?".repeat(1000),
    "true?1:".repeat(500) + "1",
    "state" + ".a".repeat(2000),
    "state" + "[0]".repeat(1300),
    "state" + ".map(x,x)".repeat(400),
    "optional.of(".repeat(300) + "1" + ")".repeat(300),
    "[" + "1,".repeat(2000) + "]",
    "f(" + "1,".repeat(100) + "1)",
    "[].all(e, e > 0)",
    "'\ud800'",
    "\u0000",
    "\\",
    "`",
    "a.`",
    "b'",
    "br'\\",
    "1e999",
    "0x",
    "99999999999999999999u",
    "google.protobuf.Timestamp",
    "optional",
    "cel",
    "math",
    "cel.bind(1, 2, 3)",
    "has()",
    "type(type)",
    "constructor",
    "__proto__",
    "state.__proto__.x",
    "dyn(state).__proto__",
  ];
  for (const source of sources) {
    try {
      compile(source).evaluate(contextOf());
    } catch (error) {
      const known = error instanceof InvalidExpression || error instanceof EvaluationFailed;
      assert.ok(known, `${source.slice(0, 40)}: ${error}`);
      assert.notEqual((error as InvalidExpression).code, "invalid_expression", source.slice(0, 40));
      assert.notEqual((error as EvaluationFailed).code, "evaluation_error", source.slice(0, 40));
    }
  }
});

fails("a missing key fails with the way to live with it", [
  ["state._shared.nope", "no_such_key", /has\(/],
  ["state.nobody.x", "no_such_key", /has\(/],
  ["agents.bob.status", "no_such_key"],
  ["state._shared.list[7]", "index_out_of_bounds"],
  ["state._shared.list[-1]", "index_out_of_bounds"],
  ["state._shared.list[0.5]", "no_such_overload"],
], SHARED);

fails(
  "values of the wrong type fail with what was expected",
  [
    ["state._shared.turn + state._shared.phase", "no_such_overload", /string\(/],
    ["state._shared.turn.x", "no_such_overload"],
    ["state._shared.nothing.x", "no_such_overload"],
    ["!state._shared.turn", "no_such_overload"],
    ["state._shared.turn && true", "no_such_overload"],
    ["state._shared.turn ? 1 : 2", "no_such_overload"],
    ["state._shared.turn.map(x, x)", "no_such_overload"],
    ["state._shared.turn.startsWith('a')", "no_matching_overload"],
    ["agents.bob.last_heartbeat > now", "no_such_overload", /timestamp\(/],
    ["1 / 0", "division_by_zero"],
    ["1 % 0", "modulo_by_zero"],
    ["9223372036854775807 + 1", "numeric_overflow"],
    ["0u - 1u", "numeric_overflow"],
    ["int(1e19)", "numeric_overflow"],
    ["int('x')", "conversion_failed"],
    ["timestamp('today')", "invalid_timestamp"],
    ["timestamp('2026-02-30T00:00:00.000Z')", "invalid_timestamp"],
    ["duration('1 minute')", "invalid_duration", /60s|90s/],
    ["{'a': 1, 'a': 2}", "duplicate_key"],
    ["[1, 'a'].sort()", "no_such_overload"],
    ["now.getHours('Mars')", "invalid_argument"],
    ["optional.none().value()", "optional_value_missing"],
    ["[?state._shared.phase]", "optional_expected"],
    ["{?'a': state._shared.phase}", "optional_expected"],
    ["{?'a': optional.of(1), 'a': 2}", "duplicate_key"],
  ],
  SHARED,
  { agents: { bob: agent("bob") } },
);

Deno.test("a failure shows the beginning of what is long", () => {
  const data = { text: "x".repeat(60_000) };
  for (
    const source of [
      "{'a': 1}[state._shared.text + state._shared.text]",
      "{state._shared.text: 1, state._shared.text + '': 2}",
      "double(state._shared.text)",
    ]
  ) {
    const { message } = thrown(() => evaluate(source, data));
    assert.ok(message.length < 400 && message.includes("xxx..."), message.slice(0, 400));
  }
});

Deno.test("a failure tells where it is", () => {
  const error = thrown(() => evaluate("true && state._shared.nope > 1"));
  assert.equal(error.position, "true && state._shared.".length);
  const condition = thrown(() => evaluate("state._shared.list.map(x, x, [x])", { list: [1] }));
  assert.equal(condition.position, "state._shared.list.map(x, ".length);
});

Deno.test("truthy is anything but false, null, 0, NaN and the empty string", () => {
  const context = contextOf({ state: { _shared: SHARED } });
  const falsy = ["false", "null", "0", "0.0", "-0.0", "0u", "''", "0.0 / 0.0", "state._shared.zero"];
  const truthy = ["true", "1", "-1", "'0'", "'false'", "[]", "{}", "[0]", "0.5", "duration('0s')", "now"];
  for (const source of falsy) assert.equal(compile(source).judge(context).truthy, false, source);
  for (const source of truthy) assert.equal(compile(source).judge(context).truthy, true, source);
});

Deno.test("a condition that is NaN is false with the value null; other non-JSON fails", () => {
  assert.deepEqual(compile("0.0 / 0.0").judge(contextOf()), { truthy: false, value: null });
  assert.equal(compile("1.0 / 0.0").judge(contextOf()).failure?.code, "not_json");
  assert.equal(compile("[0.0 / 0.0]").judge(contextOf()).failure?.code, "not_json");
});

Deno.test("a context is left as it was", () => {
  const context = contextOf({ state: { _shared: SHARED } });
  const before = contextOf({ state: { _shared: SHARED } });
  const sources = [
    "state._shared.list.sort()",
    "state._shared.list + [4]",
    "state._shared.list.reverse()",
    "state._shared.list.map(x, x + 1)",
    "state._shared.m.transformMap(k, v, v)",
    "state._shared.list.distinct()",
    "state._shared.mixed.flatten()",
  ];
  for (const source of sources) compile(source).evaluate(context);
  assert.deepEqual(context, before);
});

Deno.test("a source is compiled once, and forgotten when many others were", () => {
  const first = compile("1 + 1");
  assert.equal(compile("1 + 1"), first);
  for (let i = 0; i < 100; i++) compile(`'${"x".repeat(4000)}${i}'`);
  assert.notEqual(compile("1 + 1"), first);
});

Deno.test("the same expression can run while it runs", () => {
  const source = "state._shared.list.map(x, x + state._view.inner).exists(y, y == 13)";
  const context = contextOf({ state: { _shared: { list: [1, 2, 3] } } });
  const view = new Map<string, unknown>();
  let depth = 0;
  view.get = (key) => {
    if (key !== "inner" || depth > 0) return 10;
    depth++;
    const value = compile(source).evaluate(context);
    depth--;
    return value === true ? 10 : 0;
  };
  (context.get("state") as Map<string, unknown>).set("_view", view);
  assert.equal(compile(source).evaluate(context), true);
});

Deno.test("lazy maps are asked for no more than what is read", () => {
  const asked: string[] = [];
  const view = new Map<string, unknown>();
  const refuse = () => {
    throw new Error("entries were looked at");
  };
  Object.assign(view, {
    get: (key: string) => (asked.push(key), key === "score" ? 4 : undefined),
    has: (key: string) => (asked.push(key), key === "score"),
    keys: refuse,
    values: refuse,
    entries: refuse,
    forEach: refuse,
    [Symbol.iterator]: refuse,
  });
  const context = contextOf();
  (context.get("state") as Map<string, unknown>).set("_view", view);
  const source = "has(state._view.score) && 'score' in state._view && state._view.score > 3 && " +
    "cel.bind(v, state._view, v.score == 4) && [state._view].exists(v, v.score == 4) && dyn(state._view).score == 4";
  assert.equal(compile(source).evaluate(context), true);
  assert.deepEqual([...new Set(asked)], ["score"]);
});
