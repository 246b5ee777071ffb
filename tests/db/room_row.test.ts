import assert from "node:assert/strict";
import { withApp } from "../support/app.ts";

const ROOMS = Array.from({ length: 5 }, (_, n) => `r${n}`);

/** What a room's evaluation reads with the room's row, and what it gives in the room `r3`. */
const READS: Record<string, [expr: string, value: unknown]> = {
  "one key": ["state._shared.n", 3],
  "keys, with one that is missing": ["[state._shared.n, state._shared.?m.orValue(-1), state._shared.ten]", [
    3,
    -1,
    30,
  ]],
  "an agent": [`[agents.ann.status, agents.ann.name, agents.ann.meta.n]`, ["active", "Ann of r3", 3]],
  "one key and an agent": [`agents.ann.name + string(state._shared.n)`, "Ann of r33"],
  "keys and an agent": ["agents.ann.joined_at != '' ? state._shared.n + state._shared.ten : 0", 33],
  "an agent that is not there": ["has(agents.bob)", false],
  "counts alone": ["messages.count", 3],
};

Deno.test("evaluations of many rooms that come at once share a statement, and each gets what its own room has", () =>
  withApp(async ({ json, batches }) => {
    for (const [n, id] of ROOMS.entries()) {
      await json("POST", "/rooms", { id });
      await json("POST", `/rooms/${id}/agents`, { id: "ann", name: `Ann of ${id}`, meta: { n } });
      await json("PUT", `/rooms/${id}/state`, { key: "n", value: n });
      await json("PUT", `/rooms/${id}/state`, { key: "ten", value: 10 * n });
      for (let posts = 0; posts < n; posts++) await json("POST", `/rooms/${id}/messages`, { body: posts });
    }
    for (const [name, [expr, value]] of Object.entries(READS)) {
      const ofOne = await json("POST", "/rooms/r3/eval", { expr });
      assert.deepEqual(ofOne.body.value, value, name);
      batches.length = 0;
      const all = await Promise.all(
        [...ROOMS, "none", ...ROOMS].map((room) => json("POST", `/rooms/${room}/eval`, { expr })),
      );
      assert.ok(batches.length <= 3, `${name} ${batches.length}`);
      for (const { statements } of batches) {
        assert.equal(statements.length, 1, name);
        const asked = JSON.parse(statements[0]!.args.asked as string).map(String);
        assert.equal(new Set(asked).size, asked.length, "equal reads are one");
      }
      assert.deepEqual(all.map(({ status }) => status), [
        200,
        200,
        200,
        200,
        200,
        404,
        200,
        200,
        200,
        200,
        200,
      ]);
      assert.deepEqual(all[3]!.body, ofOne.body, name);
      assert.deepEqual(all[9]!.body, ofOne.body, name);
      assert.equal(all[1]!.body.revision, (await json("GET", "/rooms/r1")).body.revision);
    }
  }));
