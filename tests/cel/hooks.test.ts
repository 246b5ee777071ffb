import assert from "node:assert/strict";
import { RE2JS } from "@bufbuild/re2";
import {
  Environment,
  evaluatorOf,
  forget,
  type Overloads,
  type Parsed,
  rememberOnlyKnown,
} from "../../cel/language/engine.ts";

// Each case stands for a seam of a library that cel/ leans on: when one fails after an upgrade, so does cel/.

function environment() {
  const made = new Environment({ unlistedVariablesAreDyn: false, enableOptionalTypes: true });
  class OwnRegistry {}
  made.registerType("OwnRegistry", OwnRegistry);
  return made;
}

Deno.test("cel-js hands its evaluator, and with it the registry, to nodes", () => {
  const evaluator = evaluatorOf(environment());
  assert.equal(typeof evaluator.debugType, "function");
  assert.equal(typeof evaluator.registry.functionCandidates, "function");
});

Deno.test("cel-js types and evaluates a node by the rules set on it", () => {
  const parsed = environment().parse("1 + 'a'") as unknown as Parsed;
  parsed.ast.setMeta("check", (checker: { getType(name: string): unknown }) => checker.getType("string"));
  parsed.ast.setMeta("evaluate", () => "ours");
  assert.equal(parsed.check().valid, true);
  assert.equal(parsed(new Map()), "ours");
});

Deno.test("cel-js finds an overload by the types of the arguments, and leaves what it found on the node", () => {
  const made = environment();
  const parsed = made.parse("'ab'.size()") as unknown as Parsed;
  assert.equal(parsed.check().valid, true);
  const node = parsed.ast as unknown as {
    candidates: Overloads;
    argTypes: unknown[];
    receiverWithArgs: unknown[];
  };
  const evaluator = evaluatorOf(made);
  assert.deepEqual(node.argTypes, []);
  assert.equal(node.receiverWithArgs.length, 1);
  assert.equal(node.candidates.findFunction([], evaluator.debugType("x"))?.handler("ab"), 2n);
  assert.equal(node.candidates.findFunction([], evaluator.debugType([1]))?.handler([1]), 1n);
  assert.equal(node.candidates.findFunction([], evaluator.debugType(1n)), null);
});

Deno.test("cel-js forgets an overload, and a macro, that is to be replaced", () => {
  const made = environment();
  const { registry } = evaluatorOf(made);
  const signature = "int(double): int";
  assert.throws(() => made.registerFunction(signature, () => 7n, { async: false }));
  forget(registry, signature);
  made.registerFunction(signature, () => 7n, { async: false });
  assert.equal(made.evaluate("int(1.5)"), 7n);
  forget(registry, "list.all(ast, ast): bool");
  made.registerFunction(
    "list.all(ast, ast): bool",
    () => ({
      async: false,
      typeCheck: (checker: { getType(name: string): unknown }) => checker.getType("bool"),
      evaluate: () => true,
    }),
  );
  assert.equal(made.evaluate("[1].all(x, x > 5)"), true);
});

Deno.test("what is forgotten in one environment stays in others", () => {
  const { registry } = evaluatorOf(environment());
  forget(registry, "int(double): int");
  assert.equal(environment().evaluate("int(1.5)"), 1n);
});

Deno.test("cel-js remembers no function name that is unknown", () => {
  const made = environment();
  const { registry } = evaluatorOf(made);
  const asked: string[] = [];
  const lookUp = registry.functionCandidates.bind(registry);
  registry.functionCandidates = (
    method,
    name,
    count,
  ) => (asked.push(`${name}/${count}`), lookUp(method, name, count));
  rememberOnlyKnown(registry, new Set(["size"]));
  assert.throws(() => made.evaluate("unheard_of(1, 2)"));
  assert.deepEqual([...new Set(asked)], ["no such function/0"]);
});

Deno.test("cel-js scopes can be forked with a value while evaluating", () => {
  const parsed = environment().parse("[x_]".replace("x_", "1")) as unknown as Parsed;
  let seen: unknown;
  parsed.ast.setMeta("evaluate", (evaluator: never, _node: never, scope: never) => {
    const inner = (scope as {
      forkWithVariable(
        n: string,
        t: unknown,
      ): { iterValue: unknown; getCheckedValue: (e: unknown, n: unknown) => unknown };
    })
      .forkWithVariable("x", (evaluator as { dynType: unknown }).dynType);
    inner.iterValue = 5n;
    seen = inner.getCheckedValue(evaluator, { args: "x" });
    return seen;
  });
  parsed.check();
  parsed(new Map());
  assert.equal(seen, 5n);
});

Deno.test("RE2 builds its automaton through the parts that are held to the budget", () => {
  interface Engine {
    prog: { numInst(): number };
    dfa: {
      stateLimit: number;
      getState(i: number[]): unknown;
      resolveEmptyWidth(i: Int32Array, c: number): unknown;
    };
    _nfaFallback(): boolean;
  }
  const regex = RE2JS.compile("(a|b)+c$");
  const engine = regex.re2() as unknown as Engine;
  const { dfa } = engine;
  assert.ok(engine.prog.numInst() > 3);
  const calls = { getState: 0, resolveEmptyWidth: 0, fallback: 0 };
  const { getState, resolveEmptyWidth } = dfa;
  dfa.getState = (...args) => (calls.getState++, getState.apply(dfa, args));
  dfa.resolveEmptyWidth = (...args) => (calls.resolveEmptyWidth++, resolveEmptyWidth.apply(dfa, args));
  engine._nfaFallback = () => (calls.fallback++, false);
  assert.equal(regex.test("xabac"), true);
  assert.ok(calls.getState > 2 && calls.resolveEmptyWidth > 0, JSON.stringify(calls));
  assert.equal(calls.fallback, 0);
  const large = RE2JS.compile("(a|b)+c$");
  const bounded = large.re2() as unknown as Engine;
  bounded.dfa.stateLimit = 1;
  bounded._nfaFallback = () => (calls.fallback++, false);
  large.test("zabc");
  assert.equal(calls.fallback, 1);
});
