import assert from "node:assert/strict";
import { compile, EvaluationFailed, InvalidExpression } from "../../cel/rooms/expression.ts";
import {
  FUNCTIONS,
  METHODS,
  MISUSED,
  NAMES,
  NAMESPACED,
} from "../../cel/language/hints/foreign_functions.ts";
import { members } from "../support/shapes.ts";
import { contextOf, evaluate, thrown } from "./room.ts";

/** What is refused, where, what the hint names, and the whole expression written as the hint says, with its value. */
type Case = [source: string, position: number, named: string, corrected: string, value: unknown];

const SHARED = { x: 3, list: [1, 2, 3], names: ["ann", "bob"], text: "abc", m: { a: 1, b: 2 }, flag: true };

const L = "state._shared.list";
const M = "state._shared.m";
const T = "state._shared.text";

/** Parts of a hint that stand for anything. */
const PLACEHOLDERS = /\\\.\\\.\\\.|\b(?:condition|value|result|key|list|[abcex])\b/g;

/** True where an expression has, or is made of, what a hint names. */
function follows(corrected: string, named: string): boolean {
  const pattern = named.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(PLACEHOLDERS, ".*");
  return corrected.includes(named) || new RegExp(pattern).test(corrected);
}

/** Each case is refused at its place with its hint, and what the hint names works. */
function hints(name: string, cases: Case[]) {
  Deno.test(`hints: ${name}`, () => {
    for (const [source, position, named, corrected, value] of cases) {
      const error = thrown(() => compile(source));
      assert.ok(error instanceof InvalidExpression, `${source}: ${error}`);
      assert.equal(error.position, position, `${source}: ${error.message}`);
      assert.doesNotMatch(error.message + error.hint, /\n/);
      const parts = [...(error.hint ?? "").matchAll(/`([^`]+)`/g)].map(([, part]) => part!);
      assert.ok(parts.includes(named), `${source}: ${error.hint}`);
      assert.ok(follows(corrected, named), `${corrected} does not follow ${named}`);
      assert.deepEqual(evaluate(corrected, SHARED), value, corrected);
    }
  });
}

hints("members and defaults", [
  [`${M}.get("a", 0)`, 16, `${M}.?a.orValue(0)`, `${M}.?a.orValue(0)`, 1],
  [`${M}.get("z")`, 16, `${M}.?z.orValue(null)`, `${M}.?z.orValue(null)`, null],
  [`${M}.get("a-b", "no")`, 16, `${M}[?"a-b"].orValue("no")`, `${M}[?"a-b"].orValue("no")`, "no"],
  [`${M}.getOrDefault(${T}, 0)`, 16, `${M}[?${T}].orValue(0)`, `${M}[?${T}].orValue(0)`, 0],
  ["state._shared.z ?? 0", 16, "state._shared.?z.orValue(0)", "state._shared.?z.orValue(0)", 0],
  [
    "state._shared.x ?? 'n' == 3",
    16,
    "state._shared.?x.orValue('n')",
    "state._shared.?x.orValue('n') == 3",
    true,
  ],
  ['state._shared["x"]??0', 18, 'state._shared[?"x"].orValue(0)', 'state._shared[?"x"].orValue(0)', 3],
  ["(1 + 2) ?? 0", 8, "a.?key.orValue(...)", "state._shared.?x.orValue(0)", 3],
  ["state._shared?.z", 13, ".?z", "state._shared.?z.orValue(1)", 1],
  ['state._shared?.["z"] == 1', 13, "[?key]", "state._shared[?'z'].orValue(1)", 1],
  [`${L}?.length`, 18, "size(x)", `size(${L})`, 3],
  [`${M}.hasKey("a")`, 16, `"a" in ${M}`, `"a" in ${M}`, true],
  [`${M}.contains_key("a")`, 16, `"a" in ${M}`, `"a" in ${M}`, true],
  [`${M}.hasOwnProperty("a")`, 16, `"a" in ${M}`, `"a" in ${M}`, true],
  ["state._shared.5", 13, '["5"]', 'has(state._shared["5"])', false],
  ["state._shared.in", 13, '["in"]', 'has(state._shared["in"])', false],
  ["exists(state._shared.z)", 0, "has(state._shared.z)", "has(state._shared.z)", false],
  ["coalesce(state._shared.z, 1)", 0, "a.?b.orValue(1)", "state._shared.?z.orValue(1)", 1],
]);

hints("maps", [
  [`${M}.values()`, 16, `${M}.transformList(k, v, v)`, `${M}.transformList(k, v, v)`, [1, 2]],
  [`${M}.values().exists(v, v > 1)`, 16, `${M}.exists(k, v, ...)`, `${M}.exists(k, v, v > 1)`, true],
  [`${M}.keys()`, 16, `${M}.map(k, k)`, `${M}.map(k, k)`, ["a", "b"]],
  [`Object.keys(${M})`, 0, `${M}.map(k, k)`, `${M}.map(k, k)`, ["a", "b"]],
  [`Object.values(${M})`, 0, `${M}.transformList(k, v, v)`, `${M}.transformList(k, v, v)`, [1, 2]],
  [
    `${M}.items()`,
    16,
    `${M}.transformList(k, v, [k, v])`,
    `${M}.transformList(k, v, [k, v])`,
    [["a", 1], ["b", 2]],
  ],
  ["{a: 1}", 1, '"a": ...', '{"a": 1}', { a: 1 }],
]);

hints("members of a room", [
  ['agents("bob")', 0, 'agents["bob"]', 'has(agents["bob"])', false],
  ["state._shared.text == abc", 22, '"abc"', 'state._shared.text == "abc"', true],
  ['state._shared.text in ["x", abc]', 28, '"abc"', 'state._shared.text in ["x", "abc"]', true],
  ["agents.map(a, a.status)", 16, "agents[a].status", "agents.map(a, agents[a].status)", []],
  [
    'agents.filter(id, id.role == "worker").size()',
    21,
    "agents[id].role",
    'agents.filter(id, agents[id].role == "worker").size()',
    0,
  ],
  [
    "state._shared.all(k, k.done)",
    23,
    "state._shared[k].done",
    'cel.bind(k, "m", has(state._shared[k].done))',
    false,
  ],
  [
    "agents.all(a, agents.all(b, b.x))",
    30,
    "agents[b].x",
    "agents.all(a, agents.all(b, agents[b].role))",
    true,
  ],
  ['messages.filter(m, m.kind == "task")', 21, "count", "messages.count", 0],
  ["messages[0] == 1", 9, "messages.id[0]", "has(messages.id[0])", false],
  ["messages[0].body", 12, "messages.id[0].body", "has(messages.id[0]) && has(messages.id[0].body)", false],
  [
    "messages[state._shared.x].body",
    26,
    "messages.id[x].body",
    "has(messages.id[0]) && has(messages.id[0].body)",
    false,
  ],
  ["has(views.score)", 4, "state._view", "has(state._view.score)", false],
  ["messages.kinds.task", 15, "kind", "has(messages.kind[null])", true],
  ["messages.kind", 9, "messages.kind[k].done", "cel.bind(k, null, messages.kind[k].done)", 0],
  ["messages.cout", 9, "count", "messages.count", 0],
  ["messages.count() > 1", 9, "messages.count", "messages.count > 1", false],
  ["messages.last() > 1", 9, "messages.last", "has(messages.last)", false],
  ["len(messages)", 0, "messages.count", "messages.count", 0],
  ["state.x == 3", 0, "state._shared.x", "state._shared.x == 3", true],
  ["2 < state.x && true", 0, "state._shared.x", "2 < state._shared.x && true", true],
]);

hints("names with signs", [
  ["state._shared.vote:ann == 1", 18, 'state._shared["vote:ann"]', 'has(state._shared["vote:ann"])', false],
  ["state._shared.a-b-c > 1", 16, 'state._shared["a-b-c"]', 'has(state._shared["a-b-c"])', false],
  [
    'agents.bob-smith.status == ""',
    11,
    'agents["bob-smith"]',
    '"bob-smith" in agents && agents["bob-smith"].status == ""',
    false,
  ],
]);

hints("what takes a list, of a map", [
  ['{"a":1}.sum()', 8, '{"a":1}.transformList(k, v, v).sum()', '{"a":1}.transformList(k, v, v).sum()', 1],
  ['{"a":1}.sort()', 8, '{"a":1}.transformList(k, v, v).sort()', '{"a":1}.transformList(k, v, v).sort()', [
    1,
  ]],
  ['{"a":1}.max()', 8, '{"a":1}.transformList(k, v, v).max()', '{"a":1}.transformList(k, v, v).max()', 1],
]);

hints("loops", [
  [`${L}.any()`, 19, `size(${L}) > 0`, `size(${L}) > 0`, true],
  [`${L}.any(e, e > 2)`, 19, `${L}.exists(e, e > 2)`, `${L}.exists(e, e > 2)`, true],
  [`${L}.some(item, item > 2)`, 19, `${L}.exists(item, item > 2)`, `${L}.exists(item, item > 2)`, true],
  [`${L}.every(e, e > 2)`, 19, `${L}.all(e, e > 2)`, `${L}.all(e, e > 2)`, false],
  [`${L}.none(e, e > 3)`, 19, `!${L}.exists(e, e > 3)`, `!${L}.exists(e, e > 3)`, true],
  [
    `${L}.find(e, e > 1)`,
    19,
    `${L}.filter(e, e > 1).first().orValue(null)`,
    `${L}.filter(e, e > 1).first().orValue(null)`,
    2,
  ],
  [
    `${L}.find(e, e > 9)`,
    19,
    `${L}.filter(e, e > 9).first().orValue(null)`,
    `${L}.filter(e, e > 9).first().orValue(null)`,
    null,
  ],
  [`${T}.find("c")`, 19, `${T}.indexOf("c")`, `${T}.indexOf("c")`, 2],
  [
    `${L}.findIndex(e, e > 1)`,
    19,
    `${L}.transformList(i, e, e > 1, i).first().orValue(-1)`,
    `${L}.transformList(i, e, e > 1, i).first().orValue(-1)`,
    1,
  ],
  [`${L}.count()`, 19, `size(${L})`, `size(${L})`, 3],
  [`${L}.count(e, e > 1)`, 19, `${L}.filter(e, e > 1).size()`, `${L}.filter(e, e > 1).size()`, 2],
  [`${L}.count(2)`, 19, `${L}.filter(e, e == 2).size()`, `${L}.filter(e, e == 2).size()`, 1],
  [`${L}.exists(e > 1)`, 19, `${L}.exists(e, ...)`, `${L}.exists(e, e > 1)`, true],
  [`exists(${L}, e, e > 1)`, 0, `${L}.exists(e, e > 1)`, `${L}.exists(e, e > 1)`, true],
  [`filter(${L}, e, e > 2)`, 0, `${L}.filter(e, e > 2)`, `${L}.filter(e, e > 2)`, [3]],
  [`${L}.map(e => e + 1)`, 25, ".map(e, ...)", `${L}.map(e, e + 1)`, [2, 3, 4]],
  [`${L}.some((e) => e > 2)`, 28, ".exists(e, ...)", `${L}.exists(e, e > 2)`, true],
  [`${L}.every(e => e > 2)`, 27, ".all(e, ...)", `${L}.all(e, e > 2)`, false],
  [
    `${L}.find(e=>e > 2)`,
    25,
    ".filter(e, ...).first().orValue(null)",
    `${L}.filter(e, e > 2).first().orValue(null)`,
    3,
  ],
  [`${L}.map((e, i) => i)`, 25, ".transformList(i, e, ...)", `${L}.transformList(i, e, i)`, [0, 1, 2]],
  [`${L}.reduce((a, b) => a + b)`, 28, ".sum()", `${L}.sum()`, 6],
  [`${L}.sort((a, b) => a - b)`, 26, ".sort()", `${L}.sort()`, [1, 2, 3]],
  [`any(e > 2 for e in ${L})`, 10, "list.exists(x, ...)", `${L}.exists(e, e > 2)`, true],
  [`[e + 1 for e in ${L}]`, 7, "list.map(x, ...)", `${L}.map(e, e + 1)`, [2, 3, 4]],
  [`${L}.map(lambda e: e + 1)`, 23, "list.map(x, ...)", `${L}.map(e, e + 1)`, [2, 3, 4]],
  [`${L}.sum(e, e * 2)`, 19, `${L}.map(e, e * 2).sum()`, `${L}.map(e, e * 2).sum()`, 12],
  [`${L}.max(e, e * 2)`, 19, `${L}.map(e, e * 2).max()`, `${L}.map(e, e * 2).max()`, 6],
  [`${L}.push(4)`, 19, `${L} + [4]`, `${L} + [4]`, [1, 2, 3, 4]],
  [`[0, ...${L}]`, 4, "[1] + list", `[1] + ${L}`, [1, 1, 2, 3]],
]);

hints("lengths and parts", [
  [`len(${L})`, 0, `size(${L})`, `size(${L})`, 3],
  [`${L}.length()`, 19, `size(${L})`, `size(${L})`, 3],
  ["[1].length", 4, "size(x)", "size([1])", 1],
  ["'abc'.length", 6, "size(x)", "size('abc')", 3],
  [`${L}.isEmpty()`, 19, `size(${L}) == 0`, `size(${L}) == 0`, false],
  ['"a" in "abc"', 0, '"abc".contains("a")', '"abc".contains("a")', true],
  ["1 in 'abc'", 0, '"abc".contains(string(1))', '"abc".contains(string(1))', false],
  ['"abc".includes("a")', 6, '"abc".contains("a")', '"abc".contains("a")', true],
  [`${T}.includes("a")`, 19, `${T}.contains("a")`, `${T}.contains("a")`, true],
  [`${L}.includes(2)`, 19, `2 in ${L}`, `2 in ${L}`, true],
  ["[1].contains(1)", 4, "1 in [1]", "1 in [1]", true],
  [`2 not in ${L}`, 2, "!(a in b)", `!(2 in ${L})`, false],
  ["state._shared.x in (1, 3)", 16, "x in [a, b]", "state._shared.x in [1, 3]", true],
  [`${T} in ("a", "abc")`, 19, "x in [a, b]", `${T} in ["a", "abc"]`, true],
  [
    "state._shared.x between 1 and 5",
    16,
    "x >= a && x <= b",
    "state._shared.x >= 1 && state._shared.x <= 5",
    true,
  ],
  [`${T} contains "a"`, 19, ".contains(...)", `${T}.contains("a")`, true],
  [`${T} matches "a.c"`, 19, ".matches(...)", `${T}.matches("a.c")`, true],
  [`${T}.toUpperCase()`, 19, `${T}.upperAscii()`, `${T}.upperAscii()`, "ABC"],
  [`${T}.strip()`, 19, `${T}.trim()`, `${T}.trim()`, "abc"],
  [
    "[5].indexOf(5)",
    4,
    "[5].transformList(i, e, e == 5, i).first().orValue(-1)",
    "[5].transformList(i, e, e == 5, i).first().orValue(-1)",
    0,
  ],
]);

hints("functions of other names", [
  [
    "Math.max(1, state._shared.x)",
    0,
    "math.greatest(1, state._shared.x)",
    "math.greatest(1, state._shared.x)",
    3,
  ],
  ["Math.floor(1.5)", 0, "math.floor(1.5)", "math.floor(1.5)", 1],
  ["max(1, 2)", 0, "math.greatest(1, 2)", "math.greatest(1, 2)", 2],
  [`min(${L})`, 0, `${L}.min()`, `${L}.min()`, 1],
  [`sum(${L})`, 0, `${L}.sum()`, `${L}.sum()`, 6],
  ["abs(-1)", 0, "math.abs(-1)", "math.abs(-1)", 1],
  ["parseInt('12')", 0, "int('12')", "int('12')", 12],
  ["float('1.5')", 0, "double('1.5')", "double('1.5')", 1.5],
  ["str(1)", 0, "string(1)", "string(1)", "1"],
  ["range(3)", 0, "lists.range(3)", "lists.range(3)", [0, 1, 2]],
  ["typeof 1 == int", 0, "type(x)", "type(1) == int", true],
  ["Date.now() == now", 0, "now", "now == now", true],
  ["now() == now", 0, "now", "now == now", true],
  ["'{} of {n}'.format(1, 2)", 12, "'%s of %s'.format([1, 2])", "'%s of %s'.format([1, 2])", "1 of 2"],
]);

hints("logic and comparison", [
  ["not state._shared.flag", 0, "!state._shared.flag", "!state._shared.flag", false],
  ["true && not false", 8, "!false", "true && !false", true],
  ["not (true)", 0, "!(true)", "!(true)", false],
  [`not 1 in ${L}`, 0, "!(...)", `!(1 in ${L})`, false],
  ["true and false", 5, "&&", "true && false", false],
  ["true OR false", 5, "||", "true || false", true],
  ["true & false", 5, "&&", "true && false", false],
  ["true | false", 5, "||", "true || false", true],
  ["state._shared.x = 3", 16, "==", "state._shared.x == 3", true],
  ["state._shared.x === 3", 16, "==", "state._shared.x == 3", true],
  ["state._shared.x !== 3", 16, "!=", "state._shared.x != 3", false],
  ["state._shared.x <> 3", 16, "!=", "state._shared.x != 3", false],
  ["state._shared.x ≥ 3", 16, ">=", "state._shared.x >= 3", true],
  ["state._shared.x => 3", 16, ">=", "state._shared.x >= 3", true],
  ["state._shared.x is None", 16, "== null", "state._shared.x == null", false],
  ["state._shared.x is not None", 16, "!= null", "state._shared.x != null", true],
  ["self == None", 8, "null", "self == null", true],
  ["self == undefined", 8, "null", "self == null", true],
  ["True", 0, "true", "true", true],
  ["1 == 1 && False", 10, "false", "false", false],
  ["shared.x", 0, "state._shared", "state._shared.x", 3],
  ["if (true) { 1 } else { 2 }", 0, "condition ? a : b", "true ? 1 : 2", 1],
  ["1 if true else 2", 2, "condition ? a : b", "true ? 1 : 2", 1],
  ['true && "x"', 8, "x != null", 'true && "x" != null', true],
  ["!3", 1, "x != 0", "3 != 0", true],
  ['"a" ? 1 : 2', 0, "x != null", '"a" != null ? 1 : 2', 1],
  ["state._shared.z || 0", 19, "a.?key.orValue(...)", "state._shared.?z.orValue(0)", 0],
  ["now - now < 60", 0, 'duration("60s")', 'now - now < duration("60s")', true],
  ["now - 60 < now", 0, 'duration("60s")', 'now - duration("60s") < now', true],
  ["state._shared.x.exists()", 16, "has(state._shared.x)", "has(state._shared.x)", true],
  ["math.max(1, 2)", 5, "math.greatest(1, 2)", "math.greatest(1, 2)", 2],
]);

hints("texts, signs and ends", [
  [`${T}.matches(/a.*/i)`, 27, '.matches("...")', `${T}.matches("a.*")`, true],
  ["/* c */ 1", 0, "//", "1 // c", 1],
  ["1 /* c */ + 1", 2, "//", "1 + 1 // c", 2],
  ['f"x {state._shared.x}"', 0, '"..." + string(x)', '"x " + string(3.0)', "x 3"],
  ["`x ${state._shared.x}`", 0, '"...%s".format([x])', '"x %s".format([state._shared.x])', "x 3"],
  ["`abc`", 0, '"..."', '"abc"', "abc"],
  ["“abc” == state._shared.text", 0, '"..."', '"abc" == state._shared.text', true],
  ['"abc” == state._shared.text', 0, '"..."', '"abc" == state._shared.text', true],
  ["state._shared.x++", 15, "x + 1", "state._shared.x + 1", 4],
  ["state._shared.x--", 15, "x + 1", "state._shared.x + 1", 4],
  ["state._shared.x += 1", 16, "x + 1", "state._shared.x + 1", 4],
  ["2 ** 2", 2, "x * x", "2 * 2", 4],
  ["let a = 1; a + 1", 0, "cel.bind(x, value, result)", "cel.bind(a, 1, a + 1)", 2],
  ["function f() { }", 0, "list.map(x, ...)", `${L}.map(x, x)`, [1, 2, 3]],
  [`for (e of ${L})`, 0, "list.all(x, ...)", `${L}.all(x, x > 0)`, true],
  ["'a' instanceof String", 4, "type(x) == string", "type('a') == string", true],
  [
    "new Date('2026-11-22T04:20:00Z') < now",
    0,
    'timestamp("...")',
    'timestamp("2026-11-22T04:20:00Z") < now',
    true,
  ],
  [`${T} =~ "a.c"`, 19, '.matches("...")', `${T}.matches("a.c")`, true],
  [`${T} like "a.c"`, 19, ".matches(...)", `${T}.matches("a.c")`, true],
  [`${T} startsWith "a"`, 19, ".startsWith(...)", `${T}.startsWith("a")`, true],
  ["1 =< 2", 2, "<=", "1 <= 2", true],
  [`${L}.map(e -> e)`, 25, ".map(e, ...)", `${L}.map(e, e)`, [1, 2, 3]],
  ["5. > 1", 0, "5.0", "5.0 > 1", true],
]);

Deno.test("hints: what is only to be left out is named", () => {
  for (
    const [source, position, hint] of [
      ["true;", 4, "Leave out the `;`."],
      ["true; false", 4, "Write one expression: join conditions with `&&`."],
      ["return true", 0, "Leave out `return`: the expression is the result."],
      ["$state", 0, "Leave out the `$`: names need no prefix."],
      ["await true", 0, "Leave out `await`."],
      ["true # why", 5, "Comments begin with `//`."],
      ["1 + +2", 4, "Leave out the `+`."],
      ["1 ==\u00a01", 4, "Write a plain space."],
    ] as const
  ) {
    const error = thrown(() => compile(source));
    assert.deepEqual([error.position, error.hint], [position, hint], source);
  }
});

Deno.test("hints: the operator that is named for a word or a character is one", () => {
  const words = "and or is eq equals ne gt gte ge lt lte le mod div ≥ ≤ ≠ ∧ ∨ ∈ − – — × ÷ ^ & | <> === !=="
    .split(" ");
  for (const word of words) {
    const error = thrown(() => compile(`1 ${word} 1`));
    assert.equal(error.position, 2, word);
    const operator = /^Write `(.+)`\.$/.exec(error.hint ?? "")?.[1];
    const operand = operator === "&&" || operator === "||" ? "true" : "1";
    compile(operator === "in" ? "1 in [1]" : `${operand} ${operator} ${operand}`);
  }
  for (const [character, plain] of [["¬", "!"], ["，", ","], ["（", "("], ["）", ")"], ["：", ":"]]) {
    assert.equal(thrown(() => compile(`1${character}`)).hint, `Write \`${plain}\`.`);
  }
});

const VALUES = [[1, 2], [true], { a: 1 }, "a", "2026-11-22T04:20:00Z", "1", 1, -1.5, true, "%s"];

/** Whether an expression over `state._shared.v` has a value for any of some values; it always compiles. */
function worksForSome(source: string): boolean {
  const expression = compile(source);
  return VALUES.some((v) => {
    try {
      expression.evaluate(contextOf({ state: { _shared: { v } } }));
      return true;
    } catch (error) {
      assert.ok(error instanceof EvaluationFailed, source);
      return error.code === "not_json"; // type(x) has a value, and no JSON
    }
  });
}

Deno.test("hints: a number that is too large is named as it was written, with what to write", () => {
  for (
    const [source, number] of [
      ["1e400", "1e400"],
      ["true || -12e5678 > 1", "12e5678"],
      ["1 + 99999999999999999999", "99999999999999999999"],
      ["9223372036854775808 == 1", "9223372036854775808"],
      ["99999999999999999999u", "99999999999999999999u"],
      ["0xfffffffffffffffff", "0xfffffffffffffffff"],
    ] as const
  ) {
    const error = thrown(() => compile(source));
    assert.equal(error.message, `${number} is more than a number holds`);
    assert.equal(error.position, source.indexOf(number));
    assert.equal(error.hint, 'Compare ids and hashes as text: `"..."`.');
  }
  assert.equal(evaluate("-9223372036854775808 < 0"), true);
});

Deno.test("hints: where truth is wanted of what is none, they name comparisons", () => {
  const sources = [`!${L}`, `${T} && true`, `false || state._shared.x`, `${M} ? 1 : 2`, `${L}.filter(e, e)`];
  for (const source of sources) {
    const error = thrown(() => evaluate(source, SHARED));
    assert.equal(error.hint, "Compare it: `x != null`, `x != 0`, `size(x) > 0`.", source);
  }
  const optional = thrown(() => evaluate("!state._shared.?x", SHARED));
  assert.equal(optional.hint, "Take the value out with .orValue(false).");
  for (const source of ["state._shared.x != null", "state._shared.x != 0", `size(${L}) > 0`]) {
    assert.equal(evaluate(source, SHARED), true);
  }
});

Deno.test("hints: whatever is named in place of a function or a name compiles, and works for some value", () => {
  for (const name of Object.values(NAMES)) compile(name);
  const calls = [[], ["dyn(1)"], ["dyn('a')"], ["e", "e == 1"]];
  let count = 0;
  for (
    const [table, more] of [[METHODS, [["'a'"]]], [MISUSED, [["'a'"]]], [FUNCTIONS, []], [
      NAMESPACED,
      [],
    ]] as const
  ) {
    for (const [name, translate] of Object.entries(table)) {
      const named = [...calls, ...more].flatMap((args) =>
        [...translate("state._shared.v", [...args]).matchAll(/`([^`]+)`/g)].map(([, suggestion]) =>
          suggestion!
        )
      );
      // `e` stands among what was passed to calls that are no loops, `a.b` for any path.
      const sources = named.map((suggestion) =>
        `cel.bind(e, 1, ${suggestion.replaceAll("...", "true").replace(/^a\./, "state._shared.")})`
      );
      const working = sources.filter(worksForSome);
      count += sources.length;
      assert.ok(
        working.length >= sources.length / 2,
        `${name}: ${sources.filter((s) => !working.includes(s))}`,
      );
    }
  }
  assert.ok(count > 300, `${count}`);
});

Deno.test("hints: over data that is another type than was thought, evaluation says the same", () => {
  for (
    const [source, hint] of [
      [`"a" in ${T}`, `Write \`${T}.contains("a")\`.`],
      [`${L}.length`, `Write \`size(${L})\`.`],
      [`${T}.length`, `Write \`size(${T})\`.`],
      [`${L}.contains(1)`, "Write `x in list`. In a map, `in` looks for a key."],
    ] as const
  ) {
    const error = thrown(() => evaluate(source, SHARED));
    assert.equal(error.hint, hint, source);
  }
  assert.match(thrown(() => evaluate(`${M}.length`, SHARED)).hint, /`size\(state\._shared\.m\)`/);
});

Deno.test("hints: what asks a number for its size is told to compare it", () => {
  const refused = [
    "messages.kind.task.open.size() > 0",
    "size(messages.kind['task'].open) > 0",
    "messages.kind[self].done.length() == 12",
    "messages.kind.task.open.length > 0",
    "messages.count.size()",
    "messages.to[self].last.count()",
    "messages.id[7].replies.count.length()",
    "len(messages.unclaimed)",
  ];
  for (const source of refused) {
    const error = thrown(() => compile(source));
    assert.ok(error instanceof InvalidExpression, source);
    assert.match(
      error.hint ?? "",
      /^`messages\.[^`]+` is a number: compare it, `messages\.[^`]+ > 0`\.$/,
      source,
    );
    assert.ok(compile(/compare it, `([^`]+)`/.exec(error.hint!)![1]!), source);
  }
  for (const source of ["state._shared.x.size()", "size(state._shared.x)", "state._shared.x.length"]) {
    const error = thrown(() => evaluate(source, SHARED));
    assert.equal(error.hint, "`state._shared.x` is a number: compare it, `state._shared.x > 0`.", source);
  }
  const other = thrown(() => evaluate("state._shared.flag.size()", SHARED));
  assert.equal(other.hint, undefined);
});

Deno.test("hints: what a record of messages has is told, and none of its members for its opposite", () => {
  for (
    const [source, named, corrected] of [
      ["messages.kind.task > 0", "messages.kind.task.open", "messages.kind.task.open > 0"],
      ['0 == messages.kind["a-b"]', 'messages.kind["a-b"].open', '0 == messages.kind["a-b"].open'],
      ["messages.to[self] > 4", "messages.to[self].last", "messages.to[self].last > 4"],
      ["messages.from.ann == 4", "messages.from.ann.last", "messages.from.ann.last == 4"],
      ["messages.kind.task.unclaimed > 0", "open", "messages.kind.task.open > 0"],
      ["messages.kind.task.completed > 0", "done", "messages.kind.task.done > 0"],
      ["messages.claimed > 0", "messages.kind.task.claimed", "messages.kind.task.claimed > 0"],
      ['messages.kind("task").open > 0', 'messages.kind["task"]', 'messages.kind["task"].open > 0'],
      ["messages.id[7] == 'done'", "messages.id[7].status", "messages.id[7].status == 'done'"],
    ]
  ) {
    const { hint } = thrown(() => compile(source!)) as InvalidExpression;
    assert.ok(hint?.includes(`\`${named}\``), `${source}: ${hint}`);
    assert.ok(compile(corrected!), source!);
  }
});

Deno.test("hints: a name is taken for a text only where a text stands, and for none that is near", () => {
  for (const source of ["abc == 1", "abc", "!abc", "[1].map(x, abc)"]) {
    assert.match(thrown(() => compile(source)).hint!, /^An expression starts with one of/, source);
  }
  assert.equal(thrown(() => compile("agents.ann.status == agent")).hint, "Did you mean `agents`?");
});

Deno.test("hints: words for what a room has under another root", () => {
  for (
    const [source, meant] of [["tasks.open > 0", "messages.kind.task"], ["time > self.at", "now"]] as const
  ) {
    assert.equal(thrown(() => compile(source)).hint, `Write \`${meant}\`.`, source);
  }
});

Deno.test("hints: an empty expression says that it is, and what to do", () => {
  for (const source of ["", " ", "\n\t"]) {
    const error = thrown(() => compile(source));
    assert.ok(error instanceof InvalidExpression, source);
    assert.equal(error.message, "The expression is empty");
    assert.match(error.hint!, /^Write one such as `state\._shared\.turn == 2`, or leave it out/);
  }
});

Deno.test("hints: a scope without its _ that is not there is told the one with it", () => {
  for (
    const [source, meant] of [
      ["state.shared.x == 3", "state._shared"],
      ['state["shared"].x == 3', "state._shared"],
      ["true && state.view.ready", "state._view"],
    ] as const
  ) {
    const error = thrown(() => evaluate(source, SHARED));
    assert.equal(error.code, "no_such_key", source);
    assert.equal(error.hint, `Did you mean \`${meant}\`? Without the _ it names a scope of your own.`);
    assert.equal(compile(source).judge(contextOf()).failure?.hint, error.hint, source);
  }
  assert.equal(evaluate("state.shared.x == 3", {}, { state: { shared: { x: 3 } } }), true);
  assert.equal(evaluate('"shared" in state || has(state.shared) || "x" in state.?shared.orValue({})'), false);
  const other = thrown(() => evaluate("state.shared.x == 3", {}, { state: { shared: {} } }));
  assert.match(other.hint, /may not be written yet/);
});

Deno.test("hints: a member that no message has is refused, even where it is only asked for", () => {
  for (const source of ["has(message.result)", "message.?result.hasValue()", "!has(message.result)"]) {
    const error = thrown(() => compile(source, "message"));
    assert.deepEqual([error.code, error.hint], ["no_such_key", "Did you mean `result_id`?"], source);
  }
  for (
    const source of ["has(message.body.result)", "message.?body.result.hasValue()", "has(message.result_id)"]
  ) {
    assert.ok(compile(source, "message"), source);
  }
});

Deno.test("hints: a scope that is not there may be a key of the shared one", () => {
  for (
    const [source, meant] of [
      ["state.log.size() > 0", "state._shared.log"],
      ["has(state.log.x)", "state._shared.log"],
      ['"a" in state["vote:ann"]', 'state._shared["vote:ann"]'],
      ["state[self].size() > 0", "state._shared.ann"],
    ] as const
  ) {
    const { code, hint } = thrown(() => evaluate(source, { log: [1] }, { self: "ann" }));
    assert.equal(code, "no_such_key", source);
    assert.ok(hint!.includes(`Did you mean the key \`${meant}\`?`), hint);
  }
  assert.equal(evaluate("has(state.log)"), false);
  assert.match(
    thrown(() => evaluate("state.ann.x", {}, { state: { ann: {} } })).hint!,
    /may not be written yet/,
  );
});

Deno.test("hints: sources of one kind of character are refused at once, whatever the kind", () => {
  const pieces = [
    "a.",
    ".a",
    " ",
    "(",
    "a(",
    "a, ",
    ".a(a, ",
    "['a']",
    '["',
    "“",
    "?",
    "??",
    "-",
    "--",
    "+",
    "not ",
    "=",
    "=>",
    "`",
    "[?",
    ".5",
    "1.",
    "{?",
  ];
  const started = performance.now();
  for (const piece of pieces) {
    for (const end of ["", " ?? 0", " => 1", "--", "”", ";"]) {
      const source = `${piece.repeat(Math.floor(4_000 / piece.length))}${end}`;
      assert.ok(thrown(() => compile(source)) instanceof InvalidExpression, source.slice(0, 20));
    }
  }
  // Some 100 ms; a form that looked through the whole source would take seconds.
  assert.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
});

Deno.test("no member of a message or an agent that answers show is refused as unknown", () => {
  assert.ok(thrown(() => compile("messages.id[1].nothing")) instanceof InvalidExpression);
  for (const name of members.message) {
    compile(`messages.id[1].${name}`);
    compile(`message.${name}`, "message");
  }
  for (const name of members.agentInCel) compile(`agents.ann.${name}`);
});
