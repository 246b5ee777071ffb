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
      return registerAgent(database, "r", ann, { agents: 9, tokens: 9, privateKeys }).run(context);
    };
    const refused = await hide(1).catch((error: unknown) => error);
    assert.ok(isRefusal(refused, "limit_reached"), String(refused));
    assert.deepEqual(refused.facts, { of: "private keys", max: 1 });
    assert.equal((await json("GET", "/rooms/r/state?scope=ann")).body.length, 2);
    await hide(2);
    assert.deepEqual((await json("GET", "/rooms/r/state?scope=ann")).body, []);
  }));
