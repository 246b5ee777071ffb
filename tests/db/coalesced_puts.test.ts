import assert from "node:assert/strict";
import { connect } from "../../db/driver/open.ts";
import type { Row } from "../../db/driver/statement.ts";
import { type Batch, type TestApp, withApp } from "../support/app.ts";

const AGENTS = ["ann", "ben", "cid", "dee"];

/** Makes rooms of four agents, secure or not; returns what puts keys at once, each as the next agent in the next room. */
async function prepare({ json }: TestApp, secure: boolean, rooms = ["r"]) {
  const headers = new Map<string, Record<string, string>>();
  for (const room of rooms) await json("POST", "/rooms", { id: room });
  const places = AGENTS.map((id, n) => ({ id, room: rooms[n % rooms.length] }));
  for (const { id, room } of places) {
    const { body } = await json("POST", `/rooms/${room}/agents`, { id, name: "A", secure });
    headers.set(id, secure ? { Authorization: `Bearer ${body.token}` } : {});
    // The instance knows the token from now on.
    const { status } = await json("GET", `/rooms/${room}/state`, undefined, headers.get(id));
    assert.equal(status, 200);
  }
  return (keys: string[]) =>
    Promise.all(keys.map(async (key, n) => {
      const { id, room } = places[n]!;
      const put = { key, value: id, agent: id };
      const { status, body } = await json("PUT", `/rooms/${room}/state`, put, headers.get(id));
      return { status, version: body.version };
    }));
}

for (const secure of [false, true]) {
  Deno.test(`puts of ${secure ? "secure " : ""}agents that meet in one batch fill a room to its last key`, () =>
    withApp(async (app) => {
      const put = await prepare(app, secure);
      assert.deepEqual((await put(["old"])).map(({ status }) => status), [200]);
      const own = await connect(`file:${app.file}`);
      const ask = (sql: string) => own.send([{ sql, args: {} }], "write");
      const count = async () => (await ask("SELECT key_count AS n FROM rooms WHERE id = 'r'"))[0]![0]!.n;
      await ask("UPDATE rooms SET key_count = 9998 WHERE id = 'r'");
      const admits = ({ statements }: Batch) => statements.some(({ sql }) => sql.includes("key_count = "));
      const admissions = () => app.batches.filter(admits).length;

      app.batches.length = 0;
      const fitting = await put(["old", "a", "a", "b"]);
      assert.deepEqual(fitting.map(({ status }) => status), [200, 200, 200, 200]);
      assert.equal(admissions(), 1, "the puts did not travel together");
      assert.deepEqual(fitting.map(({ version }) => version), [2, 1, 2, 1]);
      const [rows] = await ask("SELECT key, value, revision, verified FROM state ORDER BY revision");
      const [{ revision }] = rows as [Row];
      assert.deepEqual(rows!.map((row) => ({ ...row })), [
        { key: "old", value: '"ann"', revision, verified: Number(secure) },
        { key: "a", value: '"cid"', revision: Number(revision) + 2, verified: Number(secure) },
        { key: "b", value: '"dee"', revision: Number(revision) + 3, verified: Number(secure) },
      ]);
      assert.equal(await count(), 10_000);

      app.batches.length = 0;
      const known = await put(["old", "a", "b", "old"]);
      assert.deepEqual(known.map(({ status }) => status), [200, 200, 200, 200]);
      assert.equal(admissions(), 1, "a full room does not take puts of its own keys together");

      const beyond = await put(["old", "a", "c", "b"]);
      assert.deepEqual(beyond.map(({ status }) => status), [200, 200, 409, 200]);
      assert.equal(await count(), 10_000);
      own.close();
    }));
}

for (const rooms of [["r"], ["r", "q"]]) {
  Deno.test(`a put under a revoked token that meets another is no sign of life, in ${rooms.length} rooms`, () =>
    withApp(async (app) => {
      const put = await prepare(app, true, rooms);
      await put(["a", "a", "a", "a"]);
      const own = await connect(`file:${app.file}`);
      const ask = (sql: string) => own.send([{ sql, args: {} }], "write");
      await ask("UPDATE agents SET last_heartbeat = '2000-01-01T00:00:00.000Z'");
      await ask("DELETE FROM tokens WHERE agent_id = 'ben'");
      assert.deepEqual((await put(["a", "a"])).map(({ status }) => status), [200, 401]);
      const [rows] = await ask("SELECT id FROM agents WHERE last_heartbeat > '2000-01-01T00:00:00.000Z'");
      assert.deepEqual(rows!.map(({ id }) => id), ["ann"]);
      own.close();
    }));
}

for (const rooms of [["r"], ["r", "q"]]) {
  const of = `${rooms.length} rooms`;
  Deno.test(`puts that meet are judged where another instance has secured an agent, in ${of}`, () =>
    withApp(async (app) => {
      const put = await prepare(app, false, rooms);
      const own = await connect(`file:${app.file}`);
      await own.send([
        { sql: "UPDATE rooms SET guarded = 1 WHERE id = 'r'", args: {} },
        { sql: "INSERT INTO secured (room_id, agent_id) VALUES ('r', 'ann')", args: {} },
      ], "write");
      assert.deepEqual((await put(["a", "b"])).map(({ status }) => status), [401, 200]);
      const [rows] = await own.send([{ sql: "SELECT key FROM state", args: {} }], "read");
      assert.deepEqual(rows!.map(({ key }) => key), ["b"]);
      own.close();
    }));

  Deno.test(`puts that meet leave a room of a later release alone, in ${of}`, () =>
    withApp(async (app) => {
      const put = await prepare(app, false, rooms);
      const own = await connect(`file:${app.file}`);
      await own.send([{ sql: "UPDATE rooms SET requires = 99 WHERE id = 'r'", args: {} }], "write");
      const others = rooms.length > 1 ? 200 : 503;
      assert.deepEqual((await put(["a", "b"])).map(({ status }) => status), [503, others]);
      own.close();
    }));
}
