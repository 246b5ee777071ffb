import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { type Batch, isPoll, withApp } from "../support/app.ts";
import { SINCE, TOUR } from "../support/tour.ts";

Deno.test("each request costs the round trips that it must, and no more", () =>
  withApp(async ({ request, batches }) => {
    for (const { name, request: [method, path, body], status, trips } of [...TOUR, ...SINCE]) {
      const before = batches.length;
      const response = await request(method, path, body);
      assert.equal(response.status, status, `${name}: ${await response.text()}`);
      assert.equal(batches.length - before, trips, `${name}: ${method} ${path}`);
    }
  }));

Deno.test("a key costs no round trip, but to store a view's value and to look for it before a refusal", () =>
  withApp(async ({ request, batches }) => {
    for (const { name, request: [method, path, body], status, trips } of TOUR) {
      const headers = { "Idempotency-Key": name };
      const writes = method !== "GET" && !/eval$|wait$/.test(path);
      const more = writes && (status >= 400 || name === "a view is defined") ? 1 : 0;
      let before = batches.length;
      const response = await request(method, path, body, headers);
      const answer = await response.text();
      assert.equal(response.status, status, `${name}: ${answer}`);
      assert.equal(batches.length - before, trips + more, `${name}: ${method} ${path}`);
      if (!writes || status >= 400 || path.startsWith("/rooms/r/state") && trips > 1) continue;
      before = batches.length;
      assert.equal(await (await request(method, path, body, headers)).text(), answer, name);
      assert.equal(batches.length - before, 1, `${name}, again`);
    }
  }));

Deno.test("a wait that is marked and woken costs four round trips: two looks, and its mark set and cleared", () =>
  withApp(async ({ request, json, batches, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    const { body: ann } = await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    await pause(2);
    const before = batches.length;
    const marked = nextBatch(({ statements }) => statements.some(({ sql }) => /INSERT INTO waits/.test(sql)));
    const waiting = json("POST", "/rooms/r/wait", { agent: "ann", condition: "has(state._shared.go)" });
    await marked;
    await request("PUT", "/rooms/r/state", { key: "go", value: 1 });
    assert.equal((await waiting).body.triggered, true);
    const own = batches.slice(before).filter((batch) => !isPoll(batch) && !isPut(batch));
    assert.deepEqual(own.map(({ mode }) => mode), ["read", "write", "read", "write"]);
    const { body: after } = await json("GET", "/rooms/r/agents/ann");
    assert.ok(after.last_heartbeat > ann.last_heartbeat, "its mark was a sign of life");
  }, { poll: 60_000 }));

const isPut = ({ statements }: Batch) => statements.some(({ sql }) => /INTO state/.test(sql));

Deno.test("a wait that is answered at its first look gives a sign of life in one write, and takes no mark", () =>
  withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    for (const wait of [{ condition: "true" }, { condition: "false", timeout: 0 }]) {
      const { body: before } = await json("GET", "/rooms/r/agents/ann");
      await pause(2);
      const sent = batches.length;
      await json("POST", "/rooms/r/wait", { agent: "ann", ...wait });
      assert.deepEqual(batches.slice(sent).map(({ mode }) => mode).sort(), ["read", "write"]);
      const { body: after } = await json("GET", "/rooms/r/agents/ann");
      assert.ok(after.last_heartbeat > before.last_heartbeat);
    }
  }));

Deno.test("200 idle waits in 20 rooms cost as many database requests as one", () =>
  withApp(async ({ request, json, batches, nextBatch, services }) => {
    const LOOKS = 6;
    const polls = async () => {
      const before = batches.length;
      for (let look = 0; look < LOOKS; look++) await nextBatch(isPoll);
      return batches.length - before;
    };
    const begin = async (room: number) => {
      const sent = nextBatch(({ statements }) =>
        statements.some(({ args }) => `${args.asked}`.includes(`"r${room}"`))
      );
      held.push(request("POST", `/rooms/r${room}/wait`, { condition: "has(state._shared.never)" }));
      await sent;
    };
    const held: Promise<Response>[] = [];
    for (let room = 0; room < 20; room++) await json("POST", "/rooms", { id: `r${room}` });

    await begin(0);
    const ofOne = await polls();
    for (let wait = 1; wait < 200; wait++) await begin(wait % 20);
    const ofMany = await polls();

    assert.equal(ofOne, LOOKS);
    assert.equal(ofMany, LOOKS);
    await services.watch.drain();
    for (const response of await Promise.all(held)) assert.equal((await response.json()).timeout, true);
  }, { poll: 40 }));
