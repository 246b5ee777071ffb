import assert from "node:assert/strict";
import { privateRoom } from "../../db/access/private.ts";
import { registerAgent } from "../../db/agents/register.ts";
import type { Statement } from "../../db/driver/statement.ts";
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
      const limits = { agents: 9, tokens: 9, privateKeys, movedKeys: 9, privateScopes: 9 };
      return registerAgent(database, "r", ann, limits).run(context);
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

/** Makes keys of `:room` in the scope `ann`, and deletes all but the last. */
const wear = (room: string, count: number): Statement[] =>
  [
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
     SELECT ${room}, 'ann', 'k' || i, '1', 1, 1, '', 0 FROM n`,
    `UPDATE state SET value = 'null', deleted = 1 WHERE room_id = ${room} AND scope = 'ann' AND key LIKE 'k%' AND key <> 'k${count}'`,
  ].map((sql) => ({ sql, args: {} }));

Deno.test("a scope of many deleted keys does not become private, and stays as it is", () =>
  withApp(async ({ json, request, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const ann = { id: "ann", name: "Ann", secure: true };
    const as = bearer((await json("POST", "/rooms/r/agents", ann)).body.token);
    const hide = () => json("POST", "/rooms/r/agents", { ...ann, private: true }, as);
    await database.commit(EVERYBODY, wear("'r'", 2_001));
    const refused = await hide();
    assert.deepEqual([refused.status, refused.body.error], [409, "limit_reached"]);
    assert.match(refused.body.message, /more than 2000 keys/);
    const [left] = (await json("GET", "/rooms/r/state?scope=ann")).body;
    assert.equal(left.key, "k2001");
    await database.commit(EVERYBODY, [{
      sql: "DELETE FROM state WHERE room_id = 'r' AND key = 'k1'",
      args: {},
    }]);
    assert.equal((await hide()).status, 200);
    assert.deepEqual((await json("GET", "/rooms/r/state?scope=ann")).body, []);
    const own = await request("GET", "/rooms/r/state?scope=ann", undefined, as);
    assert.deepEqual((await own.json()).map(({ key }: { key: string }) => key), ["k2001"]);
  }));

Deno.test("a private scope of 1,000 deleted keys and more shows and counts what lives", () =>
  withApp(async ({ json, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const ann = { id: "ann", name: "Ann", secure: true, private: true };
    const as = bearer((await json("POST", "/rooms/r/agents", ann)).body.token);
    const put = (key: string) => json("PUT", "/rooms/r/state", { scope: "ann", key, value: 1 }, as);
    await put("a");
    const home = privateRoom("'ann'", "'r'");
    for (const count of [500, 1_500]) {
      await database.commit(EVERYBODY, [
        { sql: `DELETE FROM state WHERE room_id = ${home} AND key LIKE 'k%'`, args: {} },
        ...wear(home, count),
      ]);
      const living = ["a", `k${count}`];
      const { body: listed } = await json("GET", "/rooms/r/state?scope=ann", undefined, as);
      assert.deepEqual(listed.map(({ key }: { key: string }) => key), living);
      const { body: all } = await json("GET", "/rooms/r/state", undefined, as);
      assert.deepEqual(all, listed);
      const { body: evaluated } = await json("POST", "/rooms/r/eval", { expr: "state.ann" }, as);
      assert.deepEqual(Object.keys(evaluated.value), living);
    }
    await database.commit(EVERYBODY, [{
      sql: `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 997)
        INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
        SELECT ${home}, 'ann', 'more' || i, '1', 1, 1, '', 0 FROM n`,
      args: {},
    }]);
    assert.equal((await put("last")).status, 200);
    const full = await put("one too many");
    assert.deepEqual([full.status, full.body.error], [409, "limit_reached"]);
    assert.match(full.body.message, /at most 1000 keys/);
    assert.equal((await put("last")).status, 200);
  }));

Deno.test("keys of several private scopes end, each at its time", () => {
  const time = { now: Date.parse("2026-01-01T00:00:00.000Z") };
  return withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const tokens: Array<ReturnType<typeof bearer>> = [];
    for (const id of ["ann", "bob"]) {
      const agent = { id, name: id, secure: true, private: true };
      tokens.push(bearer((await json("POST", "/rooms/r/agents", agent)).body.token));
    }
    const put = (n: number, key: string, ttl: number) =>
      json("PUT", "/rooms/r/state", { scope: ["ann", "bob"][n], key, value: 1, ttl }, tokens[n]);
    await put(0, "first", 1);
    await put(0, "third", 30);
    await put(1, "second", 20);
    const left = async () => {
      const both = tokens.map(async (as) => (await json("GET", "/rooms/r/state", undefined, as)).body);
      return (await Promise.all(both)).flat().map(({ key }: { key: string }) => key);
    };
    time.now += 1_000;
    assert.deepEqual(await left(), ["third", "second"]);
    time.now += 19_000;
    assert.deepEqual(await left(), ["third"]);
    time.now += 10_000;
    assert.deepEqual(await left(), []);
  }, { time });
});
