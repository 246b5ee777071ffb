import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { withApp } from "../support/app.ts";

Deno.test("of an agent's many waits the newest alone is read to show it", async () => {
  let read = 0;
  await withApp(async ({ json, services, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const waits = [];
    for (let n = 0; n < 5; n++) {
      const marked = nextBatch(({ statements }) => statements.some(({ sql }) => /INTO waits/.test(sql)));
      const condition = `size(state) == ${100 + n}`;
      waits.push(json("POST", "/rooms/r/wait", { condition, agent: "ann", timeout: 20_000 }));
      await marked;
    }
    for (const path of ["/rooms/r/agents/ann", "/rooms/r/agents"]) {
      read = 0;
      const { body } = await json("GET", path);
      assert.equal([body].flat()[0].waiting_on, "size(state) == 104", path);
      assert.equal(read, 1, path);
    }
    read = 0;
    const { body } = await json("POST", "/rooms/r/eval", { expr: "agents.ann.waiting_on" });
    assert.equal(body.value, "size(state) == 104");
    assert.equal(read, 2, "a wait sees its agent without itself");
    await services.watch.drain();
    await Promise.all(waits);
  }, {
    wrap: (connection) => ({
      async send(statements, mode) {
        const results = await connection.send(statements, mode);
        read += JSON.stringify(results).match(/size\(state\) == /g)?.length ?? 0;
        return results;
      },
      close: () => connection.close(),
    }),
  });
});

Deno.test("the newest wait is that of the latest revision, wherever the database has put it", () =>
  withApp(async ({ json, file }) => {
    await json("POST", "/rooms", { id: "r" });
    for (const id of ["ann", "bob"]) await json("POST", "/rooms/r/agents", { id, name: id });
    const client = createClient({ url: file });
    for (const id of ["ann", "bob"]) {
      for (const n of [7, 9, 8, 6]) {
        const sql = "INSERT INTO waits VALUES ('r', :id, :n, 'size(state) == ' || :n, :until, :n)";
        await client.execute({ sql, args: { id, n: String(n), until: Date.now() + 60_000 } });
      }
    }
    client.close();
    const of = (id: string) => `agents.${id}.waiting_on`;
    for (const expr of [[of("ann")], [of("ann"), "state._shared.?k.hasValue()"], [of("ann"), of("bob")]]) {
      const { body } = await json("POST", "/rooms/r/eval", { expr: `[${expr}]` });
      assert.equal(body.value[0], "size(state) == 9", `${expr}`);
    }
  }));
