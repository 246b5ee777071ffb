import assert from "node:assert/strict";
import { createWaitLog } from "../../routes/wait_log.ts";
import type { AgentView } from "../../views/model.ts";

const at = (second: number) => `2026-11-22T12:00:0${second}.000Z`;

const agent = (id: string, second: number, waiting_on: string | null): AgentView => ({
  id,
  name: id,
  role: "agent",
  status: waiting_on === null ? "active" : "waiting",
  last_heartbeat: at(second),
  stale: false,
  waiting_on,
});

Deno.test("waits are remembered from their last sign of life to when they were seen to end", () => {
  const log = createWaitLog();
  const see = (second: number, ...agents: AgentView[]) => log.observe("r", agents, new Date(at(second)));
  assert.deepEqual(see(1, agent("ann", 0, null)), []);
  see(2, agent("ann", 1, "x"), agent("bob", 1, "x"));
  see(3, agent("ann", 1, "x"), agent("bob", 2, "y"));
  assert.deepEqual(see(4, agent("ann", 3, null), agent("bob", 2, "y")), [
    { agent: "ann", from: at(1), condition: "x", to: at(4) },
    { agent: "bob", from: at(1), condition: "x", to: at(3) },
    { agent: "bob", from: at(2), condition: "y" },
  ]);
  assert.deepEqual(log.observe("another room", [], new Date(at(5))), []);
});

Deno.test("a room's waits are forgotten when there are many, the oldest first", () => {
  const log = createWaitLog();
  let seen = log.observe("r", [], new Date(at(0)));
  for (let n = 0; n < 1_000; n++) {
    seen = log.observe("r", [agent("ann", 1, `condition ${n}`)], new Date(at(2)));
  }
  assert.ok(seen.length <= 301);
  assert.equal(seen.at(-1)!.condition, "condition 999");
});
