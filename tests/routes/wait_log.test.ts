import assert from "node:assert/strict";
import { createWaitLog } from "../../routes/pages/wait_log.ts";
import { EVERYBODY } from "../../db/viewer.ts";

const START = Date.parse("2026-11-22T12:00:00.000Z");
const moment = (second: number) => new Date(START + second * 1_000);
const at = (second: number) => moment(second).toISOString();

/** Looks at a room in which agents wait: `[agent, token, condition]` each. */
function looker() {
  const log = createWaitLog();
  return (second: number, waits: Array<[string, string, string]> = [], room = "r") => {
    const newest = waits.map(([agent_id, token, waiting_on]) =>
      [agent_id, { agent_id, token, waiting_on, over: false }] as const
    );
    return log.observe(EVERYBODY, room, new Map(newest), moment(second));
  };
}

Deno.test("a wait is shown from the first to the last look that saw it, and no longer", () => {
  const look = looker();
  assert.deepEqual(look(1), []);
  look(2, [["ann", "a1", "x"], ["bob", "b1", "x"]]);
  look(3, [["ann", "a1", "x"], ["bob", "b2", "y"]]);
  assert.deepEqual(look(4, [["bob", "b2", "y"]]), [
    { agent: "ann", from: at(2), condition: "x", to: at(3) },
    { agent: "bob", from: at(2), condition: "x", to: at(2) },
    { agent: "bob", from: at(3), condition: "y" },
  ]);
  assert.deepEqual(look(5, [], "another room"), []);
});

Deno.test("what an agent did while nobody looked is not made up", () => {
  const look = looker();
  look(1, [["ann", "a1", "x"]]);
  look(2, [["ann", "a1", "x"]]);
  assert.deepEqual(look(600, [["ann", "a9", "x"]]), [
    { agent: "ann", from: at(1), condition: "x", to: at(2) },
    { agent: "ann", from: at(600), condition: "x" },
  ]);
  assert.deepEqual(look(1_200), [
    { agent: "ann", from: at(1), condition: "x", to: at(2) },
    { agent: "ann", from: at(600), condition: "x", to: at(600) },
  ]);
});

Deno.test("one wait that two looks saw went on between them, however long that is", () => {
  const look = looker();
  look(1, [["ann", "a1", "x"]]);
  assert.deepEqual(look(20, [["ann", "a1", "x"]]), [{ agent: "ann", from: at(1), condition: "x" }]);
});

Deno.test("an agent that asks again for the same goes on waiting, unless a look saw it at work", () => {
  const look = looker();
  look(1, [["ann", "a1", "x"]]);
  assert.deepEqual(look(4, [["ann", "a2", "x"]]), [{ agent: "ann", from: at(1), condition: "x" }]);
  assert.deepEqual(look(5), [{ agent: "ann", from: at(1), condition: "x", to: at(4) }]);
  assert.deepEqual(look(6, [["ann", "a3", "x"]]), [
    { agent: "ann", from: at(1), condition: "x", to: at(4) },
    { agent: "ann", from: at(6), condition: "x" },
  ]);
  assert.deepEqual(look(7, [["ann", "a4", "y"]]).slice(1), [
    { agent: "ann", from: at(6), condition: "x", to: at(6) },
    { agent: "ann", from: at(7), condition: "y" },
  ]);
});

Deno.test("of many waits of a room those that are over are forgotten, the oldest first", () => {
  const look = looker();
  const lasting = ["eve", "e1", "for long"] as [string, string, string];
  let seen = look(0, [lasting]);
  for (let n = 0; n < 1_000; n++) seen = look(n, [lasting, ["ann", `a${n}`, `condition ${n}`]]);
  assert.equal(seen.length, 300);
  assert.deepEqual([seen[0], seen.at(-1)], [
    { agent: "eve", from: at(0), condition: "for long" },
    { agent: "ann", from: at(999), condition: "condition 999" },
  ]);
  const many = Array.from({ length: 1_000 }, (_, n): [string, string, string] => [`a${n}`, `t${n}`, "x"]);
  look(1_000, many);
  assert.equal(look(1_001, many).filter(({ from }) => from === at(1_000)).length, 300);
});
