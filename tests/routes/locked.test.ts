import assert from "node:assert/strict";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { withApp } from "../support/app.ts";
import { bearer } from "../support/tokens.ts";

/** A room gets one request, and the next one after ten seconds. */
const SCARCE = { ...FAIR_USE, callerPerSecond: 1e9, roomPerSecond: 0.1, trustedProxies: 1 };

const from = (address: string) => ({ "X-Forwarded-For": address });

Deno.test("requests of strangers to a locked room do not count against it, nor tell how many it gets", () =>
  withApp(async ({ request }) => {
    const { token } = await (await request("POST", "/rooms", { id: "r", locked: true })).json();
    const strangers = async (id: string) =>
      (await request("GET", `/rooms/${id}`, undefined, from("a"))).status;
    const own = async () =>
      (await request("GET", "/rooms/r", undefined, { ...bearer(token), ...from("b") })).status;
    const fill = async (ask: () => Promise<number>) => {
      for (let n = 0; n < 3; n++) if (await ask() === 429) return n;
    };
    // Members use up the room's share, and strangers find theirs whole; then the other way round.
    assert.equal(await fill(own), 1);
    assert.equal(await fill(() => strangers("r")), await fill(() => strangers("none")));
  }, { fairUse: SCARCE }));

Deno.test("the token of another locked room uses up nothing that a room may get", () =>
  withApp(async ({ request }) => {
    const make = async (id: string) =>
      (await (await request("POST", "/rooms", { id, locked: true })).json()).token;
    const [own, foreign] = [await make("r"), await make("other")];
    const ask = async (token: string, address: string) =>
      (await request("GET", "/rooms/r", undefined, { ...bearer(token), ...from(address) })).status;
    const wait = async (token: string) =>
      (await request("POST", "/rooms/r/wait", { condition: "false", timeout: 0 }, {
        ...bearer(token),
        ...from("d"),
      }))
        .status;
    const passed = async (token: string, address: string) => {
      for (let n = 0; n < 3; n++) if (await ask(token, address) === 429) return n;
    };
    assert.equal(await passed(foreign, "a"), 1);
    assert.equal(await passed(foreign, "b"), 1, "strangers count by their addresses");
    assert.equal(await passed(own, "c"), 1, "and not for the room");
    assert.equal(await wait(own), 429);
    assert.equal(await wait(foreign), 404);
  }, { fairUse: SCARCE }));

Deno.test("a locked room takes no more round trips to make and to enter than an open one", () =>
  withApp(async ({ request, batches }) => {
    const made = await request("POST", "/rooms", { id: "r", locked: true });
    assert.deepEqual([made.status, batches.length], [201, 1]);
    const { token } = await made.json();
    batches.length = 0;
    assert.equal((await request("POST", "/rooms", { id: "r" }, bearer(token))).status, 200);
    assert.equal((await request("PATCH", "/rooms/r", { meta: { a: 1 } }, bearer(token))).status, 200);
    assert.equal(batches.length, 2);
  }));

Deno.test("a revoked token learns nothing of a locked room by reserving paths, even where it is full of them", () =>
  withApp(async ({ request }) => {
    const { token } = await (await request("POST", "/rooms", { id: "r", locked: true })).json();
    const member = await (await request("POST", "/rooms/r/tokens", { role: "member" }, bearer(token))).json();
    const reserve = async (by: string, paths: string[], room = "r") =>
      await request("POST", `/rooms/${room}/reservations`, { agent: "ann", paths }, bearer(by));
    const long = (n: number) => Array.from({ length: 4 }, (_, m) => `${n}-${m}-`.padEnd(511, "x"));
    for (let n = 0; (await reserve(token, long(n))).status === 201; n++);
    assert.equal((await reserve(member.token, long(-1))).status, 409);
    await request("DELETE", `/rooms/r/tokens/${member.id}`, undefined, bearer(token));
    const [here, nowhere] = [
      await reserve(member.token, long(-1)),
      await reserve(member.token, long(-1), "none"),
    ];
    assert.deepEqual([here.status, await here.json()], [404, await nowhere.json()]);
    assert.deepEqual([...here.headers], [...nowhere.headers]);
  }));
