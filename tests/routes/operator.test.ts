import assert from "node:assert/strict";
import { settingsOf } from "../../routes/process/settings.ts";
import { SERVICE } from "../../db/viewer.ts";
import { type TestApp, withApp } from "../support/app.ts";
import { HEADERS, message } from "../support/mcp.ts";
import { bearer, OPERATOR } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/** Asks as the operator, or with another token, or none. */
const asking =
  ({ request }: TestApp) => async (method: string, path: string, body?: unknown, token = OPERATOR) => {
    const response = await request(method, path, body, token === "" ? {} : bearer(token));
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  };

Deno.test("the operator acts as an admin of every room, locked or open", () =>
  withApp(async (t) => {
    const ask = asking(t);
    const { body: locked } = await ask("POST", "/rooms", { id: "l", locked: true }, "");
    await ask("POST", "/rooms", { id: "o" }, "");
    const { body: ann } = await ask("POST", "/rooms/o/agents", { id: "ann", name: "A", secure: true }, "");
    for (const room of ["l", "o"]) {
      const path = `/rooms/${room}`;
      assert.equal((await ask("GET", path)).body.id, room);
      assert.equal((await ask("POST", "/rooms", { id: room })).body.id, room);
      assert.equal((await ask("PATCH", path, { meta: { by: 1 } })).status, 200);
      assert.equal((await ask("POST", `${path}/agents`, { id: "bob", name: "B", secure: true })).status, 201);
      const spoken = await ask("POST", `${path}/messages`, { from: "bob", body: 1 });
      assert.deepEqual([spoken.status, spoken.body.room_id, spoken.body.verified], [201, room, true]);
      assert.equal((await ask("POST", `${path}/agents/bob/heartbeat`, { status: "busy" })).status, 200);
      assert.equal((await ask("PUT", `${path}/state`, { scope: "bob", key: "k", value: 1 })).status, 200);
      const hidden = { id: "hid", name: "H", secure: true, private: true };
      assert.equal((await ask("POST", `${path}/agents`, hidden)).status, 201);
      const put = await ask("PUT", `${path}/state`, { scope: "hid", key: "k", value: 7 });
      assert.deepEqual([put.status, put.body.room_id], [200, room]);
      assert.equal((await ask("GET", `${path}/state?scope=hid&key=k`)).body.value, 7);
      assert.equal((await ask("GET", `${path}/state?scope=hid`)).body.length, 1);
      assert.equal((await ask("POST", `${path}/eval`, { expr: "state.hid.k" })).body.value, 7);
      assert.match(JSON.stringify((await ask("GET", `${path}/changes?after=0`)).body.state), /"hid"/);
      assert.equal((await ask("GET", `${path}/state?scope=hid&key=k`, undefined, "")).status, 404);
      assert.equal((await ask("POST", `${path}/eval`, { agent: "bob", expr: "self" })).body.value, "bob");
      const wait = { agent: "bob", condition: "messages.count > 0" };
      assert.equal((await ask("POST", `${path}/wait`, wait)).body.triggered, true);
      const made = await ask("POST", `${path}/tokens`, { role: "admin", ttl: 600 });
      assert.equal(made.status, 201);
      assert.equal((await ask("PATCH", path, { meta: { by: 2 } }, made.body.token)).status, 200);
      const tokens = await ask("GET", `${path}/tokens`);
      assert.ok(tokens.body.length >= 2);
      assert.equal((await ask("DELETE", `${path}/tokens/${made.body.id}`)).status, 200);
      assert.equal(
        (await ask("GET", `${path}/state`, undefined, made.body.token)).status,
        room === "l" ? 404 : 401,
      );
    }
    assert.match(
      await (await t.request("GET", "/?room=l", undefined, bearer(OPERATOR))).text(),
      /data-room="l"/,
    );
    assert.equal((await ask("GET", "/rooms/none")).status, 404);
    // A token that is near, and those of rooms, are not the operator's.
    assert.equal((await ask("GET", "/rooms/l", undefined, OPERATOR.slice(0, -1) + "!")).status, 404);
    assert.equal((await ask("GET", "/rooms/o", undefined, locked.token)).status, 401);
    assert.equal((await ask("GET", "/rooms/l", undefined, ann.token)).status, 404);
  }, { operatorToken: OPERATOR }));

Deno.test("the operator calls tools, in every room", () =>
  withApp(async (t) => {
    const ask = asking(t);
    await ask("POST", "/rooms", { id: "l", locked: true }, "");
    await ask("POST", "/rooms", { id: "o" }, "");
    const call = async (room: string, token: string) => {
      const sent = message("tools/call", {
        name: "post_message",
        arguments: { room, from: "bob", body: "hello" },
      });
      const headers = { ...HEADERS, ...bearer(token) };
      const response = await t.request("POST", "/mcp", JSON.parse(sent), headers);
      return { status: response.status, text: await response.text() };
    };
    for (const room of ["l", "o"]) {
      const { status, text } = await call(room, OPERATOR);
      assert.equal(status, 200);
      assert.match(text, /from_agent/);
      assert.equal((await ask("GET", `/rooms/${room}/messages`)).body[0].from_agent, "bob");
    }
    const { text } = await call("l", OPERATOR.slice(0, -1) + "!");
    assert.match(text, /room_not_found/);
  }, { operatorToken: OPERATOR }));

Deno.test("the first token of an open room, which the operator makes, binds whoever acts there at once", () =>
  withApp(async (t) => {
    const ask = asking(t);
    await ask("POST", "/rooms", { id: "o" }, "");
    const made = await ask("POST", "/rooms/o/tokens", { role: "member", agent: "ann" });
    assert.equal(made.status, 201);
    for (const key of [undefined, "k"]) {
      const post = { method: "POST", at: "/rooms/o/messages", body: { from: "ann", body: 1 } };
      const put = { method: "PUT", at: "/rooms/o/state", body: { scope: "ann", key: "k", value: 1 } };
      for (const { method, at, body } of [post, put]) {
        const headers = key === undefined ? undefined : { "Idempotency-Key": key };
        assert.equal((await t.request(method, at, body, headers)).status, 401);
        assert.ok((await ask(method, at, body, made.body.token)).status < 300);
      }
    }
    const sql = "SELECT guarded, requires FROM rooms WHERE id = 'o'";
    const [[room]] = await t.services.database.read(SERVICE, [{ sql, args: {} }]) as [
      [Record<string, unknown>],
    ];
    assert.deepEqual([Number(room.guarded), Number(room.requires)], [1, 3]);
  }, { operatorToken: OPERATOR }));

Deno.test("the operator invites whomever it likes to any room, one that is there by its name too", () =>
  withApp(async (t) => {
    const ask = asking(t);
    await ask("POST", "/rooms", { id: "l", locked: true }, "");
    await ask("POST", "/rooms", { id: "o" }, "");
    for (const room of ["l", "o"]) {
      const path = `/rooms/${room}`;
      await ask("POST", `${path}/agents`, { id: "bob", name: "Bob" });
      const { body: made } = await ask("POST", `${path}/invites`, { role: "admin", agent: "bob", uses: 2 });
      assert.match(
        await (await t.request("GET", `/join/${made.code}`)).text(),
        /^ {4}an admin of the room$/m,
      );
      const joined = await ask("POST", `/join/${made.code}`, {}, "");
      assert.deepEqual([joined.status, joined.body.agent], [201, "bob"]);
      assert.equal((await ask("PATCH", path, { meta: { by: 3 } }, joined.body.token)).status, 200);
      const { body: listed } = await ask("GET", `${path}/invites`);
      assert.deepEqual(listed.map(({ uses_left }: { uses_left: number }) => uses_left), [1]);
      assert.equal((await ask("POST", `${path}/tokens/rotate`)).status, 403);
      assert.equal((await ask("DELETE", `${path}/invites/${made.id}`)).status, 200);
      assert.equal((await ask("POST", `/join/${made.code}`, {}, "")).status, 404);
      assert.equal((await ask("GET", path, undefined, joined.body.token)).status, 200);
    }
  }, { operatorToken: OPERATOR }));

Deno.test("the operator alone deletes an open room, and lists all rooms", () =>
  withApp(async (t) => {
    const ask = asking(t);
    const rooms = ["a", "b", "c", "d", "e"];
    const { body: locked } = await ask("POST", "/rooms", { id: "a", locked: true }, "");
    for (const id of rooms.slice(1)) await ask("POST", "/rooms", { id, listed: id !== "b" }, "");
    const { body: admin } = await ask("POST", "/rooms/c/tokens", { role: "admin" });
    assert.deepEqual(
      (await ask("GET", "/rooms", undefined, "")).body.map(({ id }: { id: string }) => id).sort(),
      ["c", "d", "e"],
    );
    const seen: string[] = [];
    for (let next = "/rooms?all=true&limit=2"; next !== "";) {
      const page = await ask("GET", next);
      seen.push(...page.body.map(({ id }: { id: string }) => id));
      next = /<(.*)>/.exec(page.headers.get("Link") ?? "")?.[1] ?? "";
    }
    assert.deepEqual(seen.sort(), rooms);
    const all = async (token: string) => (await ask("GET", "/rooms?all=true", undefined, token)).status;
    assert.deepEqual([await all(""), await all(admin.token), await all(locked.token)], [401, 403, 403]);
    const deletes = async (room: string, token?: string) =>
      (await ask("DELETE", `/rooms/${room}`, undefined, token)).status;
    assert.deepEqual([
      await deletes("c", ""),
      await deletes("c", admin.token),
      await deletes("c", locked.token),
    ], [401, 403, 401]);
    for (const wrong of ["", "not the operator's"]) {
      const { body } = await ask("DELETE", "/rooms/c", undefined, wrong);
      assert.match(`${body.message} ${body.hint}`, /Only the operator .* Bearer <OPERATOR_TOKEN>/);
    }
    assert.equal((await ask("GET", "/rooms/c", undefined, "")).status, 200);
    assert.deepEqual([await deletes("a", ""), await deletes("none", "")], [404, 404]);
    assert.deepEqual([await deletes("c"), await deletes("a"), await deletes("none")], [200, 200, 404]);
    assert.equal(await all(admin.token), 401);
    assert.deepEqual((await ask("GET", "/rooms?all=true")).body.map(({ id }: { id: string }) => id).sort(), [
      "b",
      "d",
      "e",
    ]);
  }, { operatorToken: OPERATOR }));

Deno.test("LIST_ROOMS=off lists rooms to the operator alone, REQUIRE_LOCKED=on has others make locked ones", () =>
  withApp(async (t) => {
    const ask = asking(t);
    assert.deepEqual([
      (await ask("GET", "/rooms", undefined, "")).status,
      (await ask("GET", "/rooms")).status,
    ], [401, 200]);
    const refused = await ask("POST", "/rooms", { id: "o" }, "");
    assert.deepEqual([refused.status, refused.body.error], [403, "forbidden"]);
    assert.match(refused.body.hint, /locked: true.*that is there, show its token, or join by a code/);
    assert.equal((await ask("POST", "/rooms", {}, "")).status, 403);
    const locked = await ask("POST", "/rooms", { id: "l", locked: true }, "");
    assert.equal(locked.status, 201);
    // Whether a locked room has the id, the refusal does not tell.
    assert.deepEqual((await ask("POST", "/rooms", { id: "l" }, "")).body, refused.body);
    assert.equal((await ask("POST", "/rooms", { id: "l" }, locked.body.token)).status, 200);
    assert.equal((await ask("POST", "/rooms", { id: "o" })).status, 201);
    assert.equal((await ask("POST", "/rooms", { id: "o" }, "")).status, 200);
    const join = async (args: unknown, token: string) => {
      const sent = JSON.parse(
        message("tools/call", { name: "join", arguments: args as Record<string, unknown> }),
      );
      const response = await t.request("POST", "/mcp", sent, { ...HEADERS, ...token && bearer(token) });
      return await response.text();
    };
    assert.match(await join({ room: "m", agent: "ann" }, ""), /forbidden/);
    assert.match(await join({ room: "m", agent: "ann" }, OPERATOR), /\\"created\\":true/);
    assert.match(await join({ room: "n", agent: "ann", locked: true }, OPERATOR), /admin_token/);
    assert.match(await join({ room: "k" }, OPERATOR), /`agent` is missing/);
    assert.equal((await ask("GET", "/rooms/k")).status, 404);
  }, { operatorToken: OPERATOR, rules: { listRooms: false, openRooms: false } }));

Deno.test("without OPERATOR_TOKEN nobody is the operator, and a short one ends the start", () => {
  const set = (values: Record<string, string>) => () => settingsOf((name) => values[name]);
  assert.throws(set({ OPERATOR_TOKEN: "x".repeat(31) }), /OPERATOR_TOKEN must have at least 32 characters/);
  assert.throws(
    set({ OPERATOR_TOKEN: "ü".repeat(32) }),
    /OPERATOR_TOKEN must have .* printable ASCII, and has others/,
  );
  assert.doesNotThrow(set({ OPERATOR_TOKEN: "x".repeat(32) }));
  assert.throws(set({ LIST_ROOMS: "no" }), /LIST_ROOMS must be on or off, and is "no"/);
  assert.throws(set({ REQUIRE_LOCKED: "1" }), /REQUIRE_LOCKED/);
  assert.deepEqual(set({ LIST_ROOMS: "off", REQUIRE_LOCKED: "on" })().rules, {
    listRooms: false,
    openRooms: false,
  });
  return withApp(async (t) => {
    const ask = asking(t);
    await ask("POST", "/rooms", { id: "o" }, "");
    for (const token of ["", OPERATOR, "undefined", "operator"]) {
      assert.equal((await ask("DELETE", "/rooms/o", undefined, token)).status, 401);
      assert.equal((await ask("GET", "/rooms?all=true", undefined, token)).status, 401);
    }
  });
});

Deno.test("the operator's token may be any text", () => {
  const operatorToken = "Bearer one, Bearer two: cvn_ and more";
  return withApp(async (t) => {
    assert.equal((await asking(t)("GET", "/rooms?all=true", undefined, operatorToken)).status, 200);
  }, { operatorToken });
});

Deno.test("the operator reads figures of the instance, others do not, and without one nobody", async () => {
  await withApp(async (t) => {
    const ask = asking(t);
    const { body: locked } = await ask("POST", "/rooms", { locked: true }, "");
    await ask("POST", "/rooms", { id: "r" }, "");
    const wait = t.request("POST", "/rooms/r/wait", { condition: "has(state._shared.k)", timeout: 5_000 });
    const figures = async () =>
      await (await t.request("GET", "/metrics", undefined, bearer(OPERATOR))).text();
    await until(figures, (text) => /^convene_waits_open 1$/m.test(text));
    await t.request("PUT", "/rooms/r/state", { key: "k", value: 1 });
    await wait;
    const text = await figures();
    for (const line of ["convene_rooms 2", "convene_waits_open 0", "convene_streams_open 0"]) {
      assert.ok(text.includes(`\n${line}\n`), `${line}\n${text}`);
    }
    assert.match(text, /^convene_build_info\{version="[^"]+"\} 1$/m);
    assert.deepEqual(
      [
        (await ask("GET", "/metrics", undefined, "")).status,
        (await ask("GET", "/metrics", undefined, locked.token)).status,
      ],
      [401, 403],
    );
    // Only who may not list rooms is told to read them by their ids.
    const hintOf = async (path: string) => (await ask("GET", path, undefined, "")).body.hint;
    assert.doesNotMatch(await hintOf("/metrics"), /by its id/);
    assert.match(await hintOf("/rooms?all=true"), /by its id\.$/);
  }, { operatorToken: OPERATOR });
  await withApp(async ({ json }) => {
    const { status, body } = await json("GET", "/metrics");
    assert.deepEqual([status, body.error], [404, "not_found"]);
  });
});
