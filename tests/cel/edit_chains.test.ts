import assert from "node:assert/strict";
import type { Json } from "../support/client.ts";
import { type TestApp, withApp } from "../support/app.ts";
import { meddler } from "../support/meddler.ts";

const STATE = "/rooms/r/state";

/** Sends writes of key `k` at once, of which the first is on its way alone. Returns the statuses and what was sent. */
async function writeAll({ json, batches }: TestApp, writes: Json[]) {
  await json("POST", "/rooms", { id: "r" });
  await json("PUT", STATE, { key: "k", value: [0] });
  // Compiled beforehand, so that none comes late.
  for (const { if: expr } of writes) if (expr) await json("POST", "/rooms/r/eval", { expr });
  const before = batches.length;
  const answers = await Promise.all(writes.map((write) => json("PUT", STATE, { key: "k", ...write })));
  const modes = batches.slice(before).map(({ mode }) => mode);
  const { body } = await json("GET", `${STATE}?key=k`);
  return { statuses: answers.map(({ status }) => status), modes, value: body.value };
}

Deno.test("edits of a key that come at once are one chain: a read, and one write for all", () =>
  withApp(async (app) => {
    const writes = Array.from({ length: 13 }, (_, n) => ({ append: n }));
    const { statuses, modes, value } = await writeAll(app, writes);
    assert.deepEqual(statuses, writes.map(() => 200));
    assert.deepEqual(value, [0, ...writes.map(({ append }) => append)], "in order of arrival");
    assert.deepEqual(modes, ["write", "read", "write"]);
  }));

Deno.test("edits of a private key are one chain too", () =>
  withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    const { body } = await json("POST", "/rooms/r/agents", {
      id: "own",
      name: "Own",
      secure: true,
      private: true,
    });
    const headers = { Authorization: `Bearer ${body.token}` };
    const put = (edit: Json) => json("PUT", STATE, { scope: "own", key: "k", ...edit }, headers);
    await put({ value: [0] });
    const before = batches.length;
    const numbers = Array.from({ length: 13 }, (_, n) => n);
    const answers = await Promise.all(numbers.map((n) => put({ append: n })));
    assert.deepEqual(answers.at(-1)!.body.value, [0, ...numbers], "in order of arrival");
    assert.deepEqual(batches.slice(before).map(({ mode }) => mode), ["write", "read", "write"]);
  }));

Deno.test("what changes nothing breaks no chain, be it an edit that finds nothing or one that is refused", () =>
  withApp(async (app) => {
    const { statuses, modes, value } = await writeAll(app, [
      { append: 1 },
      { remove: 99 },
      { append: 2, if: "1 in state._shared.k" },
      { set: { "/x/y": 1 } },
      { append: 3 },
      { merge: { a: 1 }, if: "size(state._shared.k) > 99" },
      { append: 4 },
    ]);
    assert.deepEqual(statuses, [200, 200, 200, 409, 200, 409, 200]);
    assert.deepEqual(value.toSorted(), [0, 1, 2, 3, 4]);
    assert.deepEqual(modes, ["write", "read", "write"]);
  }));

Deno.test("a chain of edits is computed again where another has written after its read", () => {
  const { once, wrap } = meddler();
  return withApp(async (app) => {
    once(() => app.request("PUT", STATE, { key: "k", value: ["another's"] }));
    const { statuses, value } = await writeAll(app, [1, 2, 3, 4].map((n) => ({ append: n })));
    assert.deepEqual(statuses, [200, 200, 200, 200]);
    assert.deepEqual(value, ["another's", 2, 3, 4], "the first was on its way before");
  }, { wrap });
});
