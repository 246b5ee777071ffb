import assert from "node:assert/strict";
import { registerAgent } from "../../db/agents/register.ts";
import { isRefusal } from "../../db/refusal.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";
import { bearer } from "../support/tokens.ts";

Deno.test("a scope of more keys than a private one may have does not become private", () =>
  withApp(async ({ json, request, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const { body: { token } } = await json("POST", "/rooms/r/agents", {
      id: "ann",
      name: "Ann",
      secure: true,
    });
    const as = bearer(token);
    for (const key of ["a", "b", "c"]) {
      await request("PUT", "/rooms/r/state", { scope: "ann", key, value: 1 }, as);
    }
    await request("DELETE", "/rooms/r/state", { scope: "ann", key: "c" }, as);
    const [[found]] = await database.read(EVERYBODY, [{ sql: "SELECT hash FROM tokens", args: {} }]) as [
      [{ hash: string }],
    ];
    const viewer = { key: `${found.hash} r`, token: { hash: found.hash, room: "r" } };
    const context = {
      viewer,
      acts: { as: "ann" },
      time: () => database.time(),
      newId: () => database.newId(),
    };
    const hide = (privateKeys: number) => {
      const ann = { id: "ann", name: "Ann", secure: true, private: true };
      return registerAgent(database, "r", ann, { agents: 9, tokens: 9, privateKeys, privateScopes: 9 }).run(
        context,
      );
    };
    const refused = await hide(1).catch((error: unknown) => error);
    assert.ok(isRefusal(refused, "limit_reached"), String(refused));
    assert.deepEqual(refused.facts, { of: "private keys", max: 1 });
    assert.equal((await json("GET", "/rooms/r/state?scope=ann")).body.length, 2);
    await hide(2);
    assert.deepEqual((await json("GET", "/rooms/r/state?scope=ann")).body, []);
  }));

const FILL = `
  WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 998)
  INSERT INTO secured (room_id, agent_id, private_since) SELECT 'r', 'left ' || n, 1 FROM counted`;

Deno.test("a room has at most 1,000 private scopes, also of agents that left", () =>
  withApp(async ({ json, request, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const hide = (id: string, headers = {}) =>
      json("POST", "/rooms/r/agents", { id, name: id, secure: true, private: true }, headers);
    const join = async (body: object) => {
      const { code } = (await json("POST", "/rooms/r/invites", { role: "member" })).body;
      return await json("POST", `/join/${code}`, body);
    };
    const { body: { token } } = await hide("ann");
    await database.commit(EVERYBODY, [{ sql: FILL, args: {} }]);
    assert.equal((await join({ agent: "bob", private: true })).status, 201);
    for (const refused of [await hide("eve"), await join({ agent: "eve", private: true })]) {
      assert.deepEqual([refused.status, refused.body.error], [409, "limit_reached"]);
      assert.match(refused.body.message, /at most 1000 private scopes/);
      assert.match(refused.body.hint, /without `private`/);
    }
    assert.equal((await join({ agent: "eve" })).status, 201);
    assert.equal((await request("DELETE", "/rooms/r/agents/ann", undefined, bearer(token))).status, 200);
    assert.equal((await hide("fay")).status, 409);
    const again = await hide("ann", bearer(token));
    assert.deepEqual([again.status, again.body.private], [201, true]);
  }));
