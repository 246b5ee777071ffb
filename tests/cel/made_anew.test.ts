import assert from "node:assert/strict";
import { createFollows } from "../../cel/waits/follow/follow.ts";
import { createHolders } from "../../cel/waits/holders.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";
import { until } from "../support/until.ts";

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
    const marks = async () =>
      (await database.read(SERVICE, [{ sql: "SELECT 1 FROM waits", args: {} }]))[0]!.length;
    await until(marks, (count) => count === 3);
    // Begins last: a stream that a mark wakes may first read the new room, and goes on in it after a `reset`.
    const stream = await app.request("/rooms/r/events");
    const ended = stream.text();
    await database.commit(SERVICE, ANEW.map((sql) => ({ sql, args: {} })));
    for (const { status, body } of await Promise.all(waits)) {
      assert.deepEqual([status, body.error], [404, "room_not_found"]);
    }
    await ended;
    // Whoever waits from now on waits for the new one.
    const wait = json("POST", "/rooms/r/wait", { condition: "messages.count > 0", timeout });
    await until(() => json("GET", "/rooms/r"), ({ status }) => status === 200);
    await request("POST", "/rooms/r/messages", { body: 1 });
    assert.equal((await wait).body.triggered, true);
  }, { poll: 20 }));

Deno.test("a follower whose room goes back while it is read for the first time is told so", async () => {
  const answer = Promise.withResolvers<void>();
  let isHeld = false;
  await withApp(async ({ json, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("PUT", "/rooms/r/state", { key: "k", value: 1 });
    const limits = { max: 9, maxPerRoom: 9, length: 100 };
    const follows = createFollows(database, limits, { counted() {}, holders: createHolders() });
    isHeld = true;
    const following = follows.follow(EVERYBODY, "r");
    follows.rewind("r", true);
    answer.resolve();
    const follower = await following;
    assert.ok(follower.behind);
    assert.equal((await follower.next(1_000))?.reset, true);
    follower.end();
  }, {
    wrap: (connection) => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        if (isHeld) await answer.promise;
        return rows;
      },
      close: () => connection.close(),
    }),
  });
});
