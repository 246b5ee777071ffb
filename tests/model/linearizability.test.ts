import assert from "node:assert/strict";
import { isLinearizable, type Operation, type Specification } from "./linearizability.ts";

type Input = "read" | number;
const register: Specification<number, Input, number> = {
  initial: 0,
  apply: (state, input) => input === "read" ? { state, output: state } : { state: input, output: input },
  same: (expected, actual) => expected === actual,
};
const operation = (start: number, end: number, input: Input, output?: number): Operation<Input, number> => ({
  client: 0,
  start,
  end: output === undefined ? Infinity : end,
  input,
  output,
});
const check = (...history: Operation<Input, number>[]) => isLinearizable(register, history);

Deno.test("what happened one after another, or at once in some order, is linearizable", () => {
  assert.ok(check());
  assert.ok(check(operation(0, 1, 5, 5), operation(2, 3, "read", 5)));
  assert.ok(check(operation(0, 9, 5, 5), operation(1, 2, "read", 0), operation(3, 4, "read", 5)));
});

Deno.test("a stale read is not linearizable, nor a value that comes and goes", () => {
  assert.ok(!check(operation(0, 1, 5, 5), operation(2, 3, "read", 0)));
  assert.ok(!check(operation(0, 9, 5, 5), operation(1, 2, "read", 5), operation(3, 4, "read", 0)));
  assert.ok(!check(operation(0, 1, "read", 7)));
});

Deno.test("what got no answer may have happened late or never, but not twice and not before its start", () => {
  assert.ok(check(operation(0, 1, 5), operation(2, 3, "read", 0)));
  assert.ok(check(operation(0, 1, 5), operation(2, 3, "read", 0), operation(4, 5, "read", 5)));
  assert.ok(!check(operation(0, 1, 5), operation(2, 3, "read", 5), operation(4, 5, "read", 0)));
  assert.ok(!check(operation(0, 1, "read", 5), operation(2, 3, 5)));
});
