import assert from "node:assert/strict";
import { compile } from "../../cel/rooms/expression.ts";
import { contextOf, evaluate, thrown } from "./room.ts";

Deno.test("matches() looks for the pattern anywhere, as a method and as a function", () => {
  assert.equal(evaluate("'hello'.matches('ell')"), true);
  assert.equal(evaluate("'hello'.matches('^ell')"), false);
  assert.equal(evaluate("matches('hello', 'h.*o$')"), true);
  assert.equal(evaluate("''.matches('')"), true);
  assert.equal(evaluate("'straße 7'.matches('\\\\pL+ \\\\d')"), true);
  assert.equal(evaluate("'HELLO'.matches('(?i)hello')"), true);
  assert.equal(evaluate("'a\\nb'.matches('(?m)^b$')"), true);
  assert.equal(evaluate("'2026-11-22'.matches(r'^\\d{4}-\\d{2}-\\d{2}$')"), true);
});

Deno.test("a pattern can come from the room", () => {
  assert.equal(
    evaluate("state._shared.name.matches(state._shared.pattern)", {
      name: "task-12",
      pattern: "^task-[0-9]+$",
    }),
    true,
  );
});

Deno.test("word boundaries and anchors hold at every place", () => {
  const cases: Array<[string, string, boolean]> = [
    ["one two", "\\btwo\\b", true],
    ["onetwo", "\\btwo\\b", false],
    ["aaab", "a$", false],
    ["aaaa", "a$", true],
    ["ab", "^b", false],
    ["x".repeat(5_000) + " end", "\\bend$", true],
  ];
  for (const [text, pattern, expected] of cases) {
    assert.equal(
      evaluate("state._shared.t.matches(state._shared.p)", { t: text, p: pattern }),
      expected,
      pattern,
    );
    assert.equal(new RegExp(pattern).test(text), expected, pattern);
  }
});

Deno.test("what RE2 does not take fails, and says so", () => {
  for (const pattern of ["(", "a**", "(?=a)", "(a)\\1", "(?<!a)b", "[z-a]", "a{1001}", "\\p{Nope}", "\\pC"]) {
    const error = thrown(() => evaluate("'x'.matches(state._shared.p)", { p: pattern }));
    assert.equal(error.code, "invalid_regular_expression", pattern);
    assert.doesNotMatch(error.message, /\n/);
  }
});

Deno.test("patterns are bounded in length and in counted repeats", () => {
  for (const pattern of ["a".repeat(257), "a{100}", "(a{10}){10}", "((a{5}){5}){5}", "a{2,1000}"]) {
    const error = thrown(() => evaluate("'x'.matches(state._shared.p)", { p: pattern }));
    assert.equal(error.code, "invalid_regular_expression", pattern.slice(0, 20));
  }
  for (const pattern of ["a".repeat(256), "a{99}", "(a{9}){11}"]) {
    assert.equal(evaluate("'x'.matches(state._shared.p)", { p: pattern }), false, pattern.slice(0, 20));
  }
});

Deno.test("patterns that hang other engines are linear", () => {
  const text = "a".repeat(30_000) + "!";
  const expression = compile("state._shared.t.matches(state._shared.p)");
  for (const pattern of ["(a+)+$", "^(a*)*$", "(a|aa)+$", "(.*a){9}$", "^(a|a?)+$"]) {
    const context = contextOf({ state: { _shared: { t: text, p: pattern } } });
    const start = performance.now();
    try {
      assert.equal(expression.evaluate(context), false, pattern);
    } catch (error) {
      assert.equal((error as { code: string }).code, "budget_exceeded", pattern);
    }
    assert.ok(performance.now() - start < 1_000, pattern);
  }
});

Deno.test("small ranges and hyphens are cheap where case is ignored", () => {
  const list = Array.from({ length: 40 }, (_, i) => i);
  const cases: Array<[string, string]> = [
    ["TASK-", "(?i)task-"],
    ["ЯБЛОКО", "(?i)^[а-яё]+"],
    ["x-Y", "(?i)[a-z-]+"],
    ["日本", "(?i)[\\\\x00-\\\\x{10ffff}]+"],
  ];
  for (const [text, pattern] of cases) {
    const source = `state._shared.list.all(i, ('${text}' + string(i)).matches('${pattern}' + string(i)))`;
    assert.equal(evaluate(source, { list }), true, pattern);
  }
  assert.equal(evaluate("'É'.matches('(?i)[^\\\\x00-\\\\x{7f}]')"), true);
});

Deno.test("only strings match", () => {
  assert.equal(thrown(() => compile("1.matches('a')")).code, "no_matching_overload");
  assert.equal(thrown(() => evaluate("state._shared.n.matches('a')", { n: 1 })).code, "no_matching_overload");
});
