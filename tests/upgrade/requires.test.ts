import assert from "node:assert/strict";
import { createDatabase, type Database } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { ROOM_TABLES } from "../../db/driver/schema.ts";
import { RELEASE } from "../../db/release.ts";
import type { Row } from "../../db/driver/statement.ts";
import { BY_SERVICE } from "../../db/write/context.ts";
import { commit } from "../../db/write/write.ts";
import { SERVICE } from "../../db/viewer.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { WITHOUT_TABLES } from "../support/databases.ts";
import { bearer } from "../support/tokens.ts";
import { TOUR } from "../support/tour.ts";

/** A write that brings to a room what only later releases know, as a later release makes it. */
function useLaterFeature(database: Database, room: string, admitted = true) {
  return commit(database, BY_SERVICE, {
    room,
    part: "state",
    nonce: database.newId(),
    now: new Date(),
    admission: { where: [":admitted"], args: { admitted }, requires: RELEASE + 1 },
    effects: [],
    reads: [],
  });
}

/** All that is stored, but for heartbeats: that of an agent that is refused counts all the same. */
async function stored(database: Database): Promise<Row[][]> {
  const tables = Object.keys(ROOM_TABLES);
  const rows = await database.read(
    SERVICE,
    tables.map((table) => ({ sql: `SELECT * FROM ${table}`, args: {} })),
  );
  return rows.map((table) => table.map(({ last_heartbeat: _, ...row }) => row));
}

const SECURE = { id: "secure", name: "S", secure: true };
/** What its own token may ask, and a code; `ID` stands for that of the token. */
const OF_TOKENS: Array<[method: string, path: string, body?: unknown]> = [
  ["GET", "/rooms/r/tokens"],
  ["POST", "/rooms/r/tokens", { role: "reader" }],
  ["POST", "/rooms/r/tokens/rotate", {}],
  ["DELETE", "/rooms/r/tokens/ID"],
  ["POST", "/rooms/r/invites", { role: "member" }],
  ["GET", "/rooms/r/invites"],
  ["GET", "/join/CODE"],
  ["POST", "/join/CODE", {}],
];

for (const [kind, open] of Object.entries(WITHOUT_TABLES)) {
  const test = (
    name: string,
    act: (database: Database, request: (...request: unknown[]) => Promise<Response>) => Promise<void>,
  ) =>
    Deno.test(`${kind}: ${name}`, async () => {
      const place = await open();
      const database = createDatabase({ connect: () => connect(place.url) });
      const services = createServices(database);
      const app = createApp(services);
      try {
        await act(database, async (method, path, body, headers) =>
          await app.request(path as string, {
            method: method as string,
            headers: headers as HeadersInit,
            ...(body !== undefined && { body: JSON.stringify(body) }),
          }));
      } finally {
        await services.watch.drain();
        await database.close();
        await place.stop();
      }
    });

  test(
    "a room that needs a later release is served by none before it, whatever is asked",
    async (database, request) => {
      for (const stop of TOUR) await (await request(...stop.request)).body?.cancel();
      await (await request("POST", "/rooms", { id: "other" })).body?.cancel();
      const { token } = await (await request("POST", "/rooms/r/agents", SECURE)).json();
      const shown = bearer(token);
      const [{ id }] = await (await request("GET", "/rooms/r/tokens", undefined, shown)).json();
      const { code } = await (await request("POST", "/rooms/r/invites", { role: "member" })).json();
      await useLaterFeature(database, "r");
      const before = await stored(database);
      const asked = TOUR.filter(({ name }) => !/^rooms are listed|pinged/.test(name));
      const more: Array<[method: string, path: string]> = [
        ["GET", "/rooms/r/events"],
        ["GET", "/rooms/r/live?after=0"],
        ["GET", "/rooms/r/live/evaluation?expr=1"],
        ["GET", "/rooms/r/state?since=999"],
      ];
      const requests: unknown[][] = [...asked.map(({ request }) => request), ...more];
      for (const [method, path, body] of requests) {
        for (const headers of [{}, { "Idempotency-Key": crypto.randomUUID() }]) {
          const response = await request(method, path, body, headers);
          const { error, hint, revision } = await response.json();
          const told = [response.status, error, response.headers.get("Retry-After"), typeof hint, revision];
          assert.deepEqual(told, [503, "unavailable", "1", "string", undefined], `${method} ${path}`);
        }
      }
      for (const [method, path, body] of OF_TOKENS) {
        for (const headers of [{}, { "Idempotency-Key": crypto.randomUUID() }]) {
          const at = path.replace("ID", id).replace("CODE", code);
          const response = await request(method, at, body, { ...shown, ...headers });
          const { error } = await response.json();
          assert.deepEqual([response.status, error], [503, "unavailable"], `${method} ${path}`);
        }
      }
      const rooms = await (await request("GET", "/rooms")).json();
      assert.deepEqual(rooms.map(({ id }: { id: string }) => id), ["other"]);
      assert.deepEqual(await stored(database), before);
      assert.equal((await request("GET", "/rooms/other")).status, 200);
    },
  );

  test(
    "what is asked of a room raises nothing, a later feature raises it with its write alone",
    async (database, request) => {
      const required = async () =>
        Number(
          (await database.read(SERVICE, [{ sql: "SELECT requires FROM rooms", args: {} }]))[0]![0]!.requires,
        );
      for (const stop of TOUR) await (await request(...stop.request)).body?.cancel();
      assert.equal(await required(), 0);
      assert.equal((await useLaterFeature(database, "r", false)).outcome.revision, undefined);
      assert.equal(await required(), 0);
      await useLaterFeature(database, "r");
      assert.equal(await required(), RELEASE + 1);
      await database.commit(SERVICE, [{
        sql: "UPDATE rooms SET requires = :most",
        args: { most: RELEASE + 5 },
      }]);
      await useLaterFeature(database, "r");
      assert.equal(await required(), RELEASE + 5);
    },
  );

  test("waits and streams under way end when their room needs a later release", async (database, request) => {
    await (await request("POST", "/rooms", { id: "r" })).body?.cancel();
    const waiting = request("POST", "/rooms/r/wait", { condition: "false", timeout: 1_500 });
    const stream = (await request("GET", "/rooms/r/events")).body!.pipeThrough(new TextDecoderStream());
    const reader = stream.getReader();
    await reader.read();
    await useLaterFeature(database, "r");
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      assert.doesNotMatch(next.value, /data/);
    }
    const response = await waiting;
    assert.deepEqual([response.status, (await response.json()).error], [503, "unavailable"]);
  });
}
