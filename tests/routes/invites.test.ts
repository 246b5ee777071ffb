import assert from "node:assert/strict";
import { SERVICE } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";

const FILL = `
  WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :count)
  INSERT INTO invites (room_id, id, hash, role, uses, created_at, expires_at)
  SELECT 'r', 'filled ' || n, 'hash ' || n, 'member', 1, '', :expires_at FROM counted`;

Deno.test("a room has at most 1,000 invitations that count, and those that do not make room", () =>
  withApp(async ({ json, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const make = async () => (await json("POST", "/rooms/r/invites", { role: "member" })).status;
    const set = (sql: string, args = {}) => database.commit(SERVICE, [{ sql, args }]);
    await set(FILL, { count: 999n, expires_at: BigInt(Date.now() + 60_000) });
    assert.equal(await make(), 201);
    assert.equal(await make(), 409);
    for (const ends of ["expires_at = 1", "used = 1", "made_by = 'gone'"]) {
      await set(`UPDATE invites SET ${ends} WHERE id = (SELECT MIN(id) FROM invites WHERE used = 0)`);
      assert.equal(await make(), 201, ends);
      assert.equal(await make(), 409, ends);
    }
    const [[kept]] = await database.read(SERVICE, [{
      sql: "SELECT COUNT(*) AS n FROM invites WHERE room_id = 'r'",
      args: {},
    }]) as [[{ n: number }]];
    assert.equal(Number(kept.n), 1_001, "one that was used is kept for who joined by it, for a while");
  }));

Deno.test("a room keeps the last 1,000 used invitations that do not count, so that making one costs no more", () =>
  withApp(async ({ json, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const { code } = (await json("POST", "/rooms/r/invites", { role: "member", uses: 2 })).body;
    assert.equal((await json("POST", `/join/${code}`)).status, 201);
    await database.commit(SERVICE, [
      { sql: FILL, args: { count: 2_000n, expires_at: BigInt(Date.now() + 60_000) } },
      { sql: "UPDATE invites SET used = 1 WHERE uses = 1", args: {} },
    ]);
    assert.equal((await json("POST", "/rooms/r/invites", { role: "member" })).status, 201);
    const [rows] = await database.read(SERVICE, [{
      sql: "SELECT id FROM invites WHERE room_id = 'r' ORDER BY rowid",
      args: {},
    }]);
    assert.equal(rows!.length, 1 + 1_000 + 1);
    assert.equal(rows![1]!.id, "filled 1001", "the latest");
    assert.equal((await json("POST", `/join/${code}`)).status, 201, "one that counts stays, however old");
  }));

Deno.test("a room that is full takes no more by codes, which stay as they were", () =>
  withApp(async ({ json, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const { code } = (await json("POST", "/rooms/r/invites", { role: "member" })).body;
    const set = (sql: string) => database.commit(SERVICE, [{ sql, args: {} }]);
    await set("UPDATE rooms SET agent_count = 1000 WHERE id = 'r'");
    const full = await json("POST", `/join/${code}`);
    assert.deepEqual([full.status, full.body.error], [409, "limit_reached"]);
    assert.match(full.body.message, /agents/);
    await set("UPDATE rooms SET agent_count = 0 WHERE id = 'r'");
    await set(`
      WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 1000)
      INSERT INTO tokens (room_id, id, hash, role, created_at) SELECT 'r', n, n, 'reader', '' FROM counted`);
    const many = await json("POST", `/join/${code}`);
    assert.deepEqual([many.status, many.body.error], [409, "limit_reached"]);
    assert.match(many.body.message, /tokens/);
    await set("DELETE FROM tokens");
    assert.equal((await json("POST", `/join/${code}`)).status, 201);
  }));

Deno.test("a code says how many more agents it lets join", () =>
  withApp(async ({ json, request }) => {
    await json("POST", "/rooms", { id: "r" });
    const { code } = (await json("POST", "/rooms/r/invites", { role: "member", uses: 2 })).body;
    const text = async () => await (await request("GET", `/join/${code}`)).text();
    assert.match(await text(), /^The code lets 2 more agents join, until /m);
    assert.equal((await json("POST", `/join/${code}`)).status, 201);
    assert.match(await text(), /^The code lets one more agent join, until /m);
  }));

Deno.test("reading a code takes one round trip, and joining two", () =>
  withApp(async ({ json, request, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    const { code } = (await json("POST", "/rooms/r/invites", { role: "member", uses: 9 })).body;
    batches.length = 0;
    assert.equal((await request("GET", `/join/${code}`)).status, 200);
    assert.equal(batches.length, 1);
    assert.equal((await json("POST", `/join/${code}`)).status, 201);
    assert.equal(batches.length, 3);
    const key = { "Idempotency-Key": crypto.randomUUID() };
    await request("POST", `/join/${code}`, {}, key);
    batches.length = 0;
    assert.equal((await request("POST", `/join/${code}`, {}, key)).status, 201);
    assert.equal(batches.length, 2);
  }));

Deno.test("neither a code nor a token is stored: only their hashes", () =>
  withApp(async ({ json, request, batches, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    const key = { "Idempotency-Key": "made under this very key" };
    const { code } = await (await request("POST", "/rooms/r/invites", { role: "member" }, key)).json();
    const { token } = await (await request("POST", `/join/${code}`, {}, key)).json();
    const digits = code.replace("-", "");
    const sent = JSON.stringify(
      batches,
      (_, value) => typeof value === "bigint" ? String(value) : value,
    );
    for (const secret of [code, digits, token]) assert.ok(!sent.includes(secret), secret);
    const [rows] = await database.read(SERVICE, [{ sql: "SELECT request_key FROM tokens", args: {} }]);
    assert.doesNotMatch(JSON.stringify(rows), /this very key/);
  }));

Deno.test("the url of an invitation is where the service is reached", () =>
  withApp(async ({ request }) => {
    await request("POST", "/rooms", { id: "r" });
    const made = await request("POST", "/rooms/r/invites", { role: "member" });
    assert.match((await made.json()).url, /^https:\/\/convene\.example\/join\//);
  }, { publicUrl: "https://convene.example" }));
