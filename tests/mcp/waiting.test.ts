import assert from "node:assert/strict";
import { answerOf } from "../../routes/mcp/api.ts";
import { createEndings } from "../../routes/mcp/endings.ts";
import { createWaitFor, type WaitFor } from "../../routes/mcp/waiting.ts";

/** Waits for nothing, over a clock of its own. `lasts`: how long a request takes that is to take so long. */
async function waitInVain(keyed: boolean, seconds: number, lasts = (timeout: number) => timeout) {
  let now = 0;
  const timeouts: number[] = [];
  const waitFor = createWaitFor({
    endings: createEndings(),
    holder: undefined,
    session: undefined,
    sent: {},
    giveUp() {},
    elapsed: () => now,
  });
  const context = { mcpReq: { id: 1, signal: new AbortController().signal } };
  const { body } = await waitFor({
    room: "r",
    agent: "ann",
    seconds,
    keyed,
    ask(timeout) {
      timeouts.push(timeout);
      now += lasts(timeout);
      return Promise.resolve(answerOf(true, JSON.stringify({ claimed: false, elapsed_ms: lasts(timeout) })));
    },
    isOver: () => false,
    nothing: { claimed: false },
  }, context as Parameters<WaitFor>[1]);
  return { timeouts, elapsed: body.elapsed_ms };
}

Deno.test("MCP: a long wait is made of waits of the API, and lasts as long as was asked", async () => {
  assert.deepEqual(await waitInVain(false, 50), { timeouts: [25_000, 25_000], elapsed: 50_000 });
  // None is too short to leave its mark to the same wait.
  assert.deepEqual(await waitInVain(false, 28), { timeouts: [14_000, 14_000], elapsed: 28_000 });
  const { timeouts, elapsed } = await waitInVain(false, 51, (timeout) => timeout + 5);
  assert.deepEqual([timeouts, elapsed], [[17_000, 16_998, 16_992], 51_005]);
});

Deno.test("MCP: requests under one idempotency key are equal, however long the wait", async () => {
  const even = [20_000, 20_000, 20_000];
  assert.deepEqual(await waitInVain(true, 60), { timeouts: even, elapsed: 60_000 });
  const { timeouts } = await waitInVain(true, 60, (timeout) => timeout - 5);
  assert.deepEqual(timeouts, even, "a clock that is behind makes no fourth");
});

Deno.test("MCP: a wait that the instance ends early is not begun again there", async () => {
  for (const keyed of [false, true]) {
    const { timeouts, elapsed } = await waitInVain(keyed, 60, () => 100);
    assert.deepEqual([timeouts.length, elapsed], [1, 100]);
  }
});
