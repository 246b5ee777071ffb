import assert from "node:assert/strict";
import { SERVICE } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";

/** Deletes a room and makes another one under its id, as other instances do between two looks of this one. */
const ANEW = [
  "INSERT INTO graves (id, revision, version, emptied, deleted_at) SELECT id, revision, 0, 1, 0 FROM rooms",
  "DELETE FROM waits",
  "DELETE FROM reservations",
  "DELETE FROM agents",
  "DELETE FROM rooms",
  "INSERT INTO rooms (id, created_at, meta) VALUES ('r', '', '{}')",
];

Deno.test("what waited for a deleted room does not wait for the one that has its id", () =>
  withApp(async ({ json, request, services: { database }, app }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    await json("POST", "/rooms/r/reservations", { agent: "bob", paths: ["a"] });
    const timeout = 20_000;
    const waits = [
      json("POST", "/rooms/r/wait", { condition: "false", timeout }),
      json("POST", "/rooms/r/wait", { condition: "messages.count > 0", agent: "ann", timeout }),
      json("POST", "/rooms/r/messages/claim", { agent: "ann", timeout }),
      json("POST", "/rooms/r/reservations", { agent: "ann", paths: ["a"], timeout }),
    ];
    const stream = await app.request("/rooms/r/events");
    const ended = stream.text();
    const marks = async () =>
      (await database.read(SERVICE, [{ sql: "SELECT 1 FROM waits", args: {} }]))[0]!.length;
    while (await marks() < 3);
    await database.commit(SERVICE, ANEW.map((sql) => ({ sql, args: {} })));
    for (const { status, body } of await Promise.all(waits)) {
      assert.deepEqual([status, body.error], [404, "room_not_found"]);
    }
    await ended;
    // Whoever waits from now on waits for the new one.
    const wait = json("POST", "/rooms/r/wait", { condition: "messages.count > 0", timeout });
    while (await json("GET", "/rooms/r").then(({ status }) => status !== 200));
    await request("POST", "/rooms/r/messages", { body: 1 });
    assert.equal((await wait).body.triggered, true);
  }, { poll: 20 }));
