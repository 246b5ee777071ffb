import assert from "node:assert/strict";
import { Duration, Optional, UnsignedInt } from "../../cel/language/engine.ts";
import { toCel, toJson } from "../../cel/language/values.ts";
import type { Json } from "../../db/json.ts";
import { evaluate, thrown } from "./room.ts";

Deno.test("JSON becomes Maps and lists at every depth, and comes back as it was", () => {
  const values: Json[] = [
    null,
    true,
    "5",
    5,
    -0.5,
    [],
    {},
    [1, "a", null, [true, {}]],
    { a: { b: [{ c: 1 }] }, "": 0 },
    JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toString": null}'),
  ];
  for (const value of values) assert.equal(JSON.stringify(toJson(toCel(value))), JSON.stringify(value));
  const map = toCel({ a: { b: 1 } }) as Map<string, unknown>;
  assert.ok(map instanceof Map && map.get("a") instanceof Map);
});

Deno.test("integers are numbers where a double holds them, else text", () => {
  assert.equal(evaluate("9007199254740991"), 9007199254740991);
  assert.equal(evaluate("9007199254740992"), "9007199254740992");
  assert.equal(evaluate("-9007199254740991"), -9007199254740991);
  assert.equal(evaluate("-9007199254740992"), "-9007199254740992");
  assert.equal(evaluate("18446744073709551615u"), "18446744073709551615");
  assert.equal(evaluate("7u"), 7);
});

Deno.test("times, durations and bytes are text", () => {
  assert.equal(toJson(new Date("2026-11-22T04:20:00Z")), "2026-11-22T04:20:00.000Z");
  assert.equal(toJson(new Duration(90)), "90s");
  assert.equal(toJson(new Duration(1n, 500_000_000)), "1.5s");
  assert.equal(toJson(new Duration(0n, -250_000_000)), "-0.25s");
  assert.equal(toJson(new Duration(-1n, -1)), "-1.000000001s");
  assert.equal(toJson(new Uint8Array([0, 255, 16])), "AP8Q");
});

Deno.test("an optional is what it holds", () => {
  assert.equal(toJson(Optional.of(3n)), 3);
  assert.deepEqual(toJson([Optional.of("x")]), ["x"]);
  const error = thrown(() => toJson(Optional.none()));
  assert.equal(error.code, "not_json");
  assert.match(error.hint, /orValue/);
});

Deno.test("map keys become text", () => {
  assert.deepEqual(evaluate("{1: 'a', 2u: 'b', true: 'c'}"), { "1": "a", "2": "b", "true": "c" });
});

Deno.test("NaN, the infinities and types are no JSON", () => {
  for (
    const source of [
      "0.0 / 0.0",
      "1.0 / 0.0",
      "-1.0 / 0.0",
      "[1.0 / 0.0]",
      "{'a': 0.0 / 0.0}",
      "int",
      "type(1)",
    ]
  ) {
    assert.equal(thrown(() => evaluate(source)).code, "not_json", source);
  }
  assert.equal(thrown(() => toJson(NaN)).code, "not_json");
});

Deno.test("integers of every type and doubles are one number", () => {
  assert.equal(
    evaluate("1 == 1.0 && 1u == 1.0 && 1 == dyn(1u) && {1: 'a'}[1.0] == 'a' && 1.0 in [1u]"),
    true,
  );
  assert.equal(toJson(new UnsignedInt(1n)), 1);
});
