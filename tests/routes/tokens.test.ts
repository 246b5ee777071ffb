import assert from "node:assert/strict";
import { KNOWN_TOKENS, learnToken } from "../../db/access/token.ts";
import { hashOf, makeToken } from "../../db/access/token_text.ts";
import { postMessage } from "../../db/messages/write.ts";
import { isRefusal } from "../../db/refusal.ts";
import { holderOf, SERVICE } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";
import { bearer } from "../support/tokens.ts";

const FILL = `
  WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :count)
  INSERT INTO tokens (room_id, id, hash, role, created_at, expires_at)
  SELECT 'r', 'filled ' || n, 'hash ' || n || :expires_at, 'reader', '', :expires_at FROM counted`;

Deno.test("a room has at most 1,000 tokens in force, and expired ones make room", () =>
  withApp(async ({ request, services: { database } }) => {
    await request("POST", "/rooms", { id: "r" });
    const { token } = await (await request("POST", "/rooms/r/agents", { id: "ann", name: "A", secure: true }))
      .json();
    const make = async () =>
      (await request("POST", "/rooms/r/tokens", { role: "reader" }, bearer(token)))
        .status;
    const fill = (count: number, expires_at: number) =>
      database.commit(SERVICE, [{
        sql: FILL,
        args: { count: BigInt(count), expires_at: BigInt(expires_at) },
      }]);
    await fill(998, Date.now() + 60_000);
    assert.equal(await make(), 201);
    assert.equal(await make(), 409);
    const zed = await request("POST", "/rooms/r/agents", { id: "zed", name: "Z", secure: true });
    assert.deepEqual([zed.status, (await zed.json()).error], [409, "limit_reached"]);
    await database.commit(SERVICE, [{
      sql: "UPDATE tokens SET expires_at = 1 WHERE id = 'filled 7'",
      args: {},
    }]);
    assert.equal(await make(), 201);
    assert.equal(await make(), 409);
  }));

/** Travels behind an answer, at most once an hour and token. */
const MARKS_USE = /SET last_used_at/;

Deno.test("a request with a token takes no further round trip, and one without sends what it did", () =>
  withApp(async ({ request, batches }) => {
    await request("POST", "/rooms", { id: "r" });
    const ann = await (await request("POST", "/rooms/r/agents", { id: "ann", name: "A", secure: true }))
      .json();
    const requests: Array<[string, string, unknown?]> = [
      ["POST", "/rooms/r/messages", { body: 1 }], // without a look at the agent: this instance has made the token
      ["GET", "/rooms/r"],
      ["GET", "/rooms/r/state"],
      ["GET", "/rooms/r/messages"],
      ["PUT", "/rooms/r/state", { key: "k", value: 1 }],
      ["PUT", "/rooms/r/state", { key: "k", value: 1, if_version: 9 }],
      ["POST", "/rooms/r/messages/2/claim"],
      ["POST", "/rooms/r/agents/ann/heartbeat"],
      ["POST", "/rooms/r/eval", { expr: "self" }],
      ["POST", "/rooms/r/tokens", { role: "reader" }],
    ];
    for (const [method, path, body] of requests) {
      batches.length = 0;
      const { status } = await request(method, path, body, bearer(ann.token));
      assert.ok([200, 201, 409].includes(status), `${method} ${path}: ${status}`);
      const trips = batches.filter(({ statements }) => !statements.every(({ sql }) => MARKS_USE.test(sql)));
      assert.equal(trips.length, 1, `${method} ${path}`);
    }
    await request("POST", "/rooms", { id: "open" });
    for (const [method, path, body] of requests.slice(0, 5)) {
      batches.length = 0;
      await request(method, path.replace("/rooms/r", "/rooms/open"), body);
      const sent = batches.flatMap(({ statements }) => statements).map(({ sql }) => sql).join("\n");
      assert.doesNotMatch(sent, /\btokens\b/, `${method} ${path}`);
    }
  }));

Deno.test("what many agents ask at once with tokens travels in as few statements as without", () =>
  withApp(async ({ request, batches }) => {
    await request("POST", "/rooms", { id: "r" });
    const agents = await Promise.all(
      Array.from(
        { length: 12 },
        async (_, n) =>
          (await request("POST", "/rooms/r/agents", { id: `a${n}`, name: "A", secure: true })).json(),
      ),
    );
    const all = async (method: string, path: string, body?: (n: number) => unknown) => {
      batches.length = 0;
      await Promise.all(agents.map(async ({ token }, n) => {
        const reply = await request(method, path, body?.(n), bearer(token));
        assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${await reply.text()}`);
      }));
      const sent = batches.flatMap(({ statements }) => statements).map(({ sql }) => sql);
      return sent.filter((sql) => !/^SELECT .* AS now$/.test(sql) && !MARKS_USE.test(sql)).length;
    };
    await all("GET", "/rooms/r"); // an instance that has seen them
    assert.equal(await all("POST", "/rooms/r/messages", (n) => ({ body: n })), 4);
    assert.equal(await all("PUT", "/rooms/r/state", (n) => ({ key: `k${n}`, value: n })), 3);
    assert.equal(await all("GET", "/rooms/r/messages/20"), 1);
  }));

Deno.test("reads at once under one token take no more round trips than as many without", () =>
  withApp(async ({ request, batches }) => {
    await request("POST", "/rooms", { id: "r" });
    await request("POST", "/rooms", { id: "open" });
    const made = { id: "ann", name: "A", secure: true, private: true };
    const { token } = await (await request("POST", "/rooms/r/agents", made)).json();
    const reader = await (await request("POST", "/rooms/r/tokens", { role: "reader" }, bearer(token))).json();
    await request("PUT", "/rooms/r/state", { scope: "ann", key: "k", value: 1 }, bearer(token));
    const tripsOf = async (room: string, shown: string, [method, path, body]: typeof READS[0]) => {
      const before = batches.length;
      await Promise.all(Array.from({ length: 100 }, async (_, n) => {
        const headers = shown === "" ? {} : bearer(shown);
        const reply = await request(method, `/rooms/${room}${path}`, body(n), headers);
        assert.ok(reply.status < 500, `${method} ${path}: ${reply.status} ${await reply.text()}`);
      }));
      return batches.slice(before).filter(({ mode }) => mode === "read").length;
    };
    await request("GET", "/rooms/r", undefined, bearer(reader.token)); // an instance that has seen it
    for (const read of READS) {
      const without = await tripsOf("open", "", read);
      for (const shown of ["", token, reader.token]) {
        const trips = await tripsOf("r", shown, read);
        assert.ok(trips <= without, `${JSON.stringify(read)}: ${trips} trips, ${without} without`);
      }
    }
  }, {
    // So batches are gathered by what comes alone, whatever the machine does meanwhile.
    time: { now: Date.now() },
  }));

/** What may be asked as an agent, or see what it alone sees. */
const READS: Array<[method: string, path: string, body: (n: number) => unknown]> = [
  ["POST", "/eval", (n) => ({ expr: `has(state.ann.k) ? ${n} : 0` })],
  ["POST", "/eval", (n) => ({ expr: `${n}`, agent: "bob" })],
  ["GET", "/state?scope=ann&key=k", () => undefined],
  ["GET", "/state?scope=ann", () => undefined],
];

Deno.test("a reader's write is refused by the database too, where nothing has refused it before", () =>
  withApp(async ({ request, services: { database } }) => {
    await request("POST", "/rooms", { id: "r" });
    const ann = await (await request("POST", "/rooms/r/agents", { id: "ann", name: "A", secure: true }))
      .json();
    const body = { role: "reader", agent: "ann" };
    const reader = await (await request("POST", "/rooms/r/tokens", body, bearer(ann.token))).json();
    const viewer = holderOf(hashOf(reader.token), "r");
    await database.read(viewer, []); // an instance that has seen it
    const { acts, run } = postMessage(database, "r", { from: "ann", kind: "k", body: 1 }, {
      needsTogether: 1,
    });
    const { time, newId } = database;
    await assert.rejects(run({ viewer, acts, time, newId }), (error) => isRefusal(error, "forbidden"));
  }));

Deno.test("an id that has left is taken by nobody, though its departure is forgotten", () =>
  withApp(async ({ request, services: { database } }) => {
    await request("POST", "/rooms", { id: "r" });
    await request("POST", "/rooms/r/agents", { id: "gone", name: "G" });
    await request("DELETE", "/rooms/r/agents/gone");
    await database.commit(SERVICE, [{ sql: "DELETE FROM departed", args: {} }]);
    const register = (body: unknown) => request("POST", "/rooms/r/agents", body);
    const taken = await register({ id: "gone", name: "E", secure: true });
    assert.deepEqual([taken.status, (await taken.json()).error], [409, "agent_exists"]);
    assert.equal((await register({ id: "gone", name: "G" })).status, 201);
    assert.equal((await register({ id: "never", name: "N", secure: true })).status, 201);
  }));

Deno.test("a token that an instance sees for the first time costs one look, where it is to tell the agent", () =>
  withApp(async ({ request, batches, services: { database } }) => {
    await request("POST", "/rooms", { id: "r" });
    await request("POST", "/rooms/r/agents", { id: "ann", name: "A", secure: true });
    const anew = async () => {
      const token = makeToken("member", false, database.randomBytes());
      const sql = `INSERT INTO tokens (room_id, id, hash, role, agent_id, created_at)
        VALUES ('r', :hash, :hash, 'member', 'ann', '')`;
      await database.commit(SERVICE, [{ sql, args: { hash: hashOf(token) } }]);
      return token;
    };
    const tripsOf = async (token: string, method: string, path: string, body: unknown) => {
      batches.length = 0;
      assert.ok((await request(method, `/rooms/r${path}`, body, bearer(token))).ok, `${method} ${path}`);
      return batches.filter(({ statements }) => !statements.every(({ sql }) => MARKS_USE.test(sql))).length;
    };
    for (
      const [method, path, named, unnamed] of [
        ["POST", "/messages", { from: "ann", body: 1 }, { body: 1 }],
        ["PUT", "/state", { key: "k", value: 1, agent: "ann" }, { key: "k", value: 1 }],
      ] as const
    ) {
      assert.equal(await tripsOf(await anew(), method, path, named), 1, `${method} that names it`);
      const token = await anew();
      assert.equal(await tripsOf(token, method, path, unnamed), 2, `the first ${method} that does not`);
      assert.equal(await tripsOf(token, method, path, unnamed), 1, `the next ${method} that does not`);
    }
  }));

Deno.test("where others are secure, whoever shows no token takes one round trip, once the room is known", () =>
  withApp(async ({ request, batches }) => {
    const requests: Array<[string, string, unknown?]> = [
      ["PUT", "/state", { key: "k", value: 1, agent: "bob" }],
      ["POST", "/messages", { from: "bob", body: 1 }],
      ["POST", "/agents/bob/heartbeat"],
    ];
    for (const [method, path, body] of requests) {
      const room = crypto.randomUUID();
      await request("POST", "/rooms", { id: room });
      await request("POST", `/rooms/${room}/agents`, { id: "bob", name: "B" });
      await request("POST", `/rooms/${room}/agents`, { id: "ann", name: "A", secure: true });
      const trips = [];
      for (let n = 0; n < 2; n++) {
        batches.length = 0;
        assert.ok((await request(method, `/rooms/${room}${path}`, body)).ok, `${method} ${path}`);
        trips.push(batches.length);
      }
      assert.equal(trips[1], 1, `${method} ${path}: ${trips}`);
    }
  }));

Deno.test("a page evaluates as the agent of a token that its instance has not seen", () =>
  withApp(async ({ request }) => {
    await request("POST", "/rooms", { id: "r" });
    const { token } = await (await request("POST", "/rooms/r/agents", { id: "ann", name: "A", secure: true }))
      .json();
    // Instances in one process share what they remember of tokens: so many others make them forget this one.
    const other = { id: "", room: "other", role: "reader", agent: null, ends: false } as const;
    for (let n = 0; n < KNOWN_TOKENS; n++) learnToken(`other ${n}`, other);
    const path = "/rooms/r/live/evaluation?expr=self%20%3D%3D%20%22ann%22";
    const drawn = await request("GET", path, undefined, bearer(token));
    assert.match(await drawn.text(), />true</);
  }));
