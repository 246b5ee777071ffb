import assert from "node:assert/strict";
import { withApp } from "../support/app.ts";

const BEGAN = Date.parse("2026-01-01T00:00:00.000Z");
const DAY_MS = 86_400_000;

/** What makes ann act: its key, its message, several writes at once, its heartbeat, its wait. */
const ACTS: Record<string, [method: string, path: string, body: unknown]> = {
  "puts a key": ["PUT", "/rooms/r/state", { key: "a", value: 1, agent: "ann" }],
  "puts a key under a gate": ["PUT", "/rooms/r/state", { key: "a", value: 1, agent: "ann", if: "true" }],
  posts: ["POST", "/rooms/r/messages", { from: "ann", body: 1 }],
  "sends a heartbeat": ["POST", "/rooms/r/agents/ann/heartbeat", {}],
  waits: ["POST", "/rooms/r/wait", { agent: "ann", condition: "false", timeout: 1 }],
};

for (const [name, act] of Object.entries(ACTS)) {
  Deno.test(`once the database's clock was set back by a day, an agent is alive when it ${name}, and not before`, () => {
    const time = { now: BEGAN };
    return withApp(async ({ json }) => {
      const ann = async () => (await json("GET", "/rooms/r/agents/ann")).body;
      const evaluated = async (expr: string) => (await json("POST", "/rooms/r/eval", { expr })).body.value;
      await json("POST", "/rooms", { id: "r" });
      await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });

      time.now -= DAY_MS;
      assert.equal((await ann()).alive, false);
      assert.equal(await evaluated("agents.ann.alive"), false);
      const { body: { recipient } } = await json("POST", "/rooms/r/messages", { to: "ann", body: 1 });
      assert.equal(recipient.alive, false);

      await json(...act);
      const { alive, last_heartbeat } = await ann();
      assert.deepEqual([alive, Date.parse(last_heartbeat)], [true, time.now]);
      const gated = { key: "b", value: 1, if: "agents.ann.alive" };
      assert.equal((await json("PUT", "/rooms/r/state", gated)).status, 200);
    }, { time });
  });
}

Deno.test("a heartbeat does not go back with a clock that is set back a little", () => {
  const time = { now: BEGAN };
  return withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    time.now -= 30_000;
    await json("POST", "/rooms/r/agents/ann/heartbeat", {});
    const { body } = await json("GET", "/rooms/r/agents/ann");
    assert.deepEqual([body.alive, Date.parse(body.last_heartbeat)], [true, BEGAN]);
  }, { time });
});
