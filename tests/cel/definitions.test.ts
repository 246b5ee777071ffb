import assert from "node:assert/strict";
import { circular, define, type Definitions, viewsOf, withViews } from "../../cel/rooms/definitions.ts";
import { createMemory } from "../../cel/rooms/definitions_memory.ts";
import { createReader } from "../../cel/rooms/reader.ts";
import { compile } from "../../cel/rooms/expression.ts";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createRoom } from "../../db/rooms/create.ts";
import { putEntries } from "../../db/state/write.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { perform } from "../support/perform.ts";

const sourcesOf = (views: Record<string, string>) =>
  new Map(Object.entries(views).map(([name, source]) => [name, { source, eyes: null }]));
const defined = (views: Record<string, string>) => define(sourcesOf(views));

/** The members of circles, by going every way from each view. */
function wayBack(named: number[][]): Set<string> {
  const found = named.flatMap((_, from) => {
    const reached = new Set(named[from]);
    for (const view of reached) named[view]!.forEach((next) => reached.add(next));
    return reached.has(from) ? [`v${from}`] : [];
  });
  return new Set(found);
}

Deno.test("a view is in a circle where a way leads from it back to it, whatever the views name", async () => {
  let seed = 7;
  const draw = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
  let circles = 0;
  for (let run = 0; run < 200; run++) {
    const count = 1 + draw(12);
    const named = Array.from({ length: count }, () => Array.from({ length: draw(4) }, () => draw(count)));
    const sources = named.map((next, n) => [`v${n}`, `[${next.map((view) => `state._view.v${view}`)}]`]);
    const found = circular(await define(sourcesOf(Object.fromEntries(sources))));
    assert.deepEqual(found, wayBack(named), JSON.stringify(named));
    circles += found.size;
  }
  assert.ok(circles > 100, `${circles} views in circles were drawn`);
});

Deno.test("what an expression reads is read with all that its views read", async () => {
  const definitions = await defined({
    a: "state._view.b + state._shared.x",
    b: "size(agents)",
    c: "messages.count",
    all: "state._view.size()",
    broken: "agnts.size(",
  });
  assert.deepEqual(viewsOf(compile("state._view.a").reads, definitions), ["a", "b"]);
  assert.equal(viewsOf(compile("state._view.all").reads, definitions).length, 5);
  const reads = withViews(compile("state._view.a").reads, definitions);
  assert.deepEqual([reads.agents, reads.messages], ["all", false]);
  assert.equal(withViews(compile("state._view.all").reads, definitions).messages, true);
});

Deno.test("a definition is taken over where its source is as it was", async () => {
  const before = await defined({ a: "state._shared.x", b: "1" });
  const after = await define(sourcesOf({ a: "state._shared.x", b: "2" }), before);
  assert.equal(after.get("a"), before.get("a"));
  assert.notEqual(after.get("b"), before.get("b"));
});

Deno.test("definitions are forgotten by their size: the rooms that were used last stay", async () => {
  const expr = `[${Array.from({ length: 200 }, (_, n) => `state._shared.k${n}`)}]`;
  const definitions = await defined({ large: expr });
  const memory = createMemory(1_000_000);
  const rooms = Array.from({ length: 900 }, (_, n) => `room ${n}`);
  memory.set("used", { createdAt: "", revision: 1, definitions });
  for (const room of rooms) {
    memory.set(room, { createdAt: "", revision: 1, definitions });
    assert.ok(memory.get("used"));
  }
  const kept = rooms.filter((room) => memory.get(room));
  assert.ok(kept.length > 5 && kept.length < 100, `${kept.length} rooms`);
  assert.deepEqual(kept, rooms.slice(-kept.length));
  memory.set("used", { createdAt: "", revision: 0, definitions: new Map() });
  assert.equal(memory.get("used")!.revision, 1);
  memory.set("used", { createdAt: "later", revision: 0, definitions: new Map() });
  assert.equal(memory.get("used")!.revision, 0);
});

/** Views that are changed with every read are read all the same, and each time as they then are. */
Deno.test("a view that names another key with each write is read as it is", async () => {
  const database = createDatabase({ connect: () => connect(":memory:") });
  try {
    await perform(database, createRoom(database, { id: "r", meta: {} }));
    const limits = { keys: 100, privateKeys: 100, views: 64, viewBytes: 65_536, valueBytes: 65_536 };
    const put = (key: string, write: { value?: number; expr?: string }) =>
      perform(
        database,
        putEntries(database, "r", {
          writes: [{ scope: write.expr ? "_view" : "_shared", key, ...write }],
          limits,
          batch: false,
        }),
      );
    const reader = createReader(database);
    const reads = compile("state._view.v").reads;
    for (let n = 0; n < 5; n++) {
      await put(`k${n}`, { value: n });
      await put("v", { expr: `state._shared.k${n}` });
      const data: { definitions: Definitions; snapshot: { entries: unknown[] } } = await reader.load(
        EVERYBODY,
        "r",
        reads,
      );
      assert.equal(data.definitions.get("v")!.source, `state._shared.k${n}`);
      assert.deepEqual(data.snapshot.entries.at(-1), { scope: "_shared", key: `k${n}`, value: n });
    }
    const together = await Promise.all(
      Array.from({ length: 20 }, () => createReader(database).load(EVERYBODY, "r", reads)),
    );
    assert.equal(new Set(together.map(({ definitions }) => definitions.get("v")!.source)).size, 1);
  } finally {
    await database.close();
  }
});
