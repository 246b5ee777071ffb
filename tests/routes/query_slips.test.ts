import assert from "node:assert/strict";
import { withSlip } from "../../routes/http/input/query_slips.ts";
import { onThisMachine } from "../support/bounds.ts";
import { workingTime } from "../support/probe.ts";

const hintOf = (raw: string, expression: string, position: number) =>
  withSlip(`http://a/rooms/r/wait?condition=${raw}`, { expression, position }).hint;

Deno.test("a blank between two operands that was a + in the URL is told, and no other", () => {
  const cases: Array<[raw: string, expression: string, position: number, isPlus: boolean]> = [
    ["n+1", "n 1", 2, true],
    ["%C3%A9+n+1", "é n 1", 4, true],
    ["f+(1)", "f (1)", 0, true],
    ["a.f+(1)", "a.f (1)", 1, true],
    ["n%201", "n 1", 2, false],
    ["n+1", "n 1", 1, false],
    ["n++1", "n  1", 3, false],
    ["+1)", " 1)", 2, false],
    ["a+b+c+)", "a b c )", 6, false],
  ];
  for (const [raw, expression, position, isPlus] of cases) {
    assert.equal(String(hintOf(raw, expression, position)).includes("%2B"), isPlus, raw);
  }
});

Deno.test("a URL of nothing but + is read in one pass", () => {
  const from = workingTime();
  for (const [unit, times] of [["+", 4_000], ["a+", 2_000], ["%C3%A9+", 2_000], ["+", 60_000]] as const) {
    const raw = unit.repeat(times);
    const expression = decodeURIComponent(raw.replaceAll("+", " "));
    hintOf(raw, expression, 0);
    hintOf(raw, expression, expression.length);
  }
  // Each look at the whole URL for each of them took a minute and more.
  const took = workingTime() - from;
  assert.ok(took < onThisMachine(100), `${took} ms`);
});
