import assert from "node:assert/strict";
import { raw } from "hono/html";
import type { Context } from "hono";
import { createWaitLog } from "../../routes/pages/wait_log.ts";
import type { Markup } from "../../views/shared/layout.tsx";
import { createDrawings } from "../../routes/pages/drawings.ts";
import type { Database } from "../../db/database.ts";
import type { Row } from "../../db/driver/statement.ts";
import { EVERYBODY, keyFor, SERVICE, type Viewer } from "../../db/viewer.ts";
import { type TestApp, withApp } from "../support/app.ts";
import { HEADERS, message } from "../support/mcp.ts";
import { bearer } from "../support/tokens.ts";

/** Who calls in these tests, as the header says; the last one has no eyes of their own. */
const [ANN, BOB, ALL] = ["seen-by-ann", "seen-by-bob", "seen-by-all"] as const;
const NAMES: string[] = [ANN, BOB, ALL];
const viewerCalled = (name: string = ALL): Viewer => name === ALL ? EVERYBODY : { key: name };
const viewerOf = (c: Context) => viewerCalled(c.req.header("Authorization")?.slice("Bearer ".length));
const as = (name: string) => (bearer(name));

/** A database that shows each viewer their own name where `@eyes` is stored. */
function seen(database: Database): Database {
  // Coalesced rows have arrays too.
  const shown = ({ key }: Viewer, row: Row): Row =>
    JSON.parse(JSON.stringify(row).replaceAll("@eyes", key || ALL));
  const all = async (viewer: Viewer, rows: Promise<Row[][]>) =>
    (await rows).map((some) => some.map((row) => shown(viewer, row)));
  return {
    ...database,
    read: (viewer, statements) => all(viewer, database.read(viewer, statements)),
    commit: (viewer, statements) => all(viewer, database.commit(viewer, statements)),
    async readCoalesced(viewer, ...submission) {
      const row = await database.readCoalesced(viewer, ...submission);
      return row && shown(viewer, row) as typeof row;
    },
  };
}

/** Runs a test in a room whose state, message, agent and meta are other ones for each viewer. */
function withEyes(name: string, test: (app: TestApp) => Promise<void>) {
  Deno.test(name, () =>
    withApp(async (app) => {
      await app.json("POST", "/rooms", { id: "r", meta: { who: "@eyes" } });
      await app.json("PUT", "/rooms/r/state", { key: "who", value: "@eyes" });
      await app.json("PUT", "/rooms/r/state", { scope: "_view", key: "view", expr: "state._shared.who" });
      await app.json("POST", "/rooms/r/agents", { id: "a", name: "@eyes" });
      await app.json("POST", "/rooms/r/messages", { body: "@eyes" });
      await test(app);
    }, { seen, viewerOf }));
}

/** Asserts that a text was made for one viewer, and nothing in it for another. */
function assertMadeFor(name: string, text: string, what: string) {
  assert.deepEqual(NAMES.filter((other) => text.includes(other)), [name], `${what}: ${text.slice(0, 2_000)}`);
}

/** Asks for the same with the eyes of each, at once and twice each. */
async function assertApart(what: string, ask: (name: string) => Promise<Response>) {
  const asked = [...NAMES, ...NAMES];
  const texts = await Promise.all(asked.map(async (name) => await (await ask(name)).text()));
  texts.forEach((text, n) => assertMadeFor(asked[n]!, text, what));
}

withEyes("what is read at once is read with the eyes of each", async ({ request, json, services }) => {
  const { promise: marked, resolve } = Promise.withResolvers<void>();
  services.database.listen(({ part }) => part === "agents" && resolve());
  const condition = 'state._shared.who == "" || has(state._shared.done)';
  const wait = request("POST", "/rooms/r/wait", { agent: "a", condition });
  await marked; // pages show what it waits for
  for (
    const path of [
      "/rooms",
      "/rooms/r",
      "/rooms/r/state",
      "/rooms/r/state?resolve=true",
      "/rooms/r/state?key=who",
      "/rooms/r/state?scope=_view&key=view&resolve=true",
      "/rooms/r/agents",
      "/rooms/r/agents/a",
      "/rooms/r/messages",
      "/rooms/r/messages/4",
      "/rooms/r/changes",
      "/?room=r",
      "/?room=r&expr=state._shared.who",
      "/rooms/r/live/messages",
      "/rooms/r/live/entries?scope=_shared",
      "/rooms/r/live/evaluation?expr=state._view.view",
    ]
  ) await assertApart(path, (name) => request("GET", path, undefined, as(name)));
  await assertApart(
    "eval",
    (name) => request("POST", "/rooms/r/eval", { expr: "state._view.view" }, as(name)),
  );
  const call = { name: "read_room", arguments: { room: "r" } };
  await assertApart(
    "mcp",
    (name) => request("POST", "/mcp", JSON.parse(message("tools/call", call)), { ...HEADERS, ...as(name) }),
  );
  await json("PUT", "/rooms/r/state", { key: "done", value: true });
  await (await wait).body?.cancel();
});

withEyes("waits that are judged together are judged with the eyes of each", async ({ request, json }) => {
  const conditions = [
    { condition: "has(state._shared.go) ? state._shared.who : ''" },
    { condition: "has(state._shared.go) ? state._view.view : ''", include: ["agents"] },
    { condition: "has(state._shared.go)", include: ["state", "messages:after:0"] },
    { condition: "has(state._shared.go)", include: ["changes:after:0"] },
  ];
  const waits = conditions.flatMap((body) =>
    NAMES.map((name) => ({ name, body, answer: request("POST", "/rooms/r/wait", body, as(name)) }))
  );
  await request("POST", "/rooms/r/wait", { condition: "true" }); // those before it have had their first look
  await json("PUT", "/rooms/r/state", { key: "go", value: 1 });
  for (const { name, body, answer } of waits) {
    assertMadeFor(name, await (await answer).text(), JSON.stringify(body));
  }
  for (const body of [{ condition: "state._shared.who", include: ["state"] }, conditions[2]!]) {
    await assertApart("a first look", (name) => request("POST", "/rooms/r/wait", body, as(name)));
  }
});

/** What a stream says up to an event that has data of the room. */
async function heard(response: Response): Promise<{ text: string; more(): Promise<string> }> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  async function next(): Promise<string> {
    let text = "";
    while (!/^data:[^]*\n\n$/m.test(text)) text += (await reader.read()).value!;
    return text;
  }
  return { text: await next(), more: () => next().finally(() => reader.cancel()) };
}

withEyes("streams and pages are told what was read and drawn for each", async ({ request, json }) => {
  for (const path of ["/rooms/r/events?after=0", "/rooms/r/live?after=0"]) {
    const asked = [...NAMES, ...NAMES];
    const streams = await Promise.all(
      asked.map(async (name) => await heard(await request("GET", path, undefined, as(name)))),
    );
    streams.forEach(({ text }, n) => assertMadeFor(asked[n]!, text, path));
    await json("PUT", "/rooms/r/state", { key: "later", value: "@eyes" });
    for (const [n, { more }] of streams.entries()) assertMadeFor(asked[n]!, await more(), `${path}, later`);
  }
});

withEyes("gates and refusals see with the eyes of who asks", async ({ request }) => {
  const put = (name: string, body: unknown) => request("PUT", "/rooms/r/state", body, as(name));
  const gated = await Promise.all(
    NAMES.map((name) =>
      put(name, { key: "gated", value: 1, if: `state._shared.who == ${JSON.stringify(ANN)}` })
    ),
  );
  assert.deepEqual(gated.map(({ status }) => status), [200, 409, 409]);
  await Promise.all(gated.map(({ body }) => body?.cancel()));
  await assertApart("current", (name) => put(name, { key: "who", value: 1, if_version: 9 }));
  await assertApart(
    "a view",
    (name) => put(name, { scope: "_view", key: "view", expr: "state._shared.who" }),
  );
});

withEyes("an idempotency key belongs to its caller", async ({ request }) => {
  const post = (name: string, path: string, body: unknown) =>
    request("POST", path, body, { ...as(name), "Idempotency-Key": "a key of twenty characters" });
  for (const [path, body] of [["/rooms/r/messages", { body: "same" }], ["/rooms", { meta: {} }]] as const) {
    const ids = [];
    for (const name of [...NAMES, ...NAMES]) {
      const answer = await post(name, path, body);
      ids.push([answer.headers.has("Idempotency-Replayed"), (await answer.json()).id]);
    }
    const [first, again] = [ids.slice(0, 3), ids.slice(3)];
    assert.equal(new Set(first.map(([, id]) => id)).size, 3, path);
    assert.deepEqual([first, again].map((all) => all.map(([replayed]) => replayed)), [
      [false, false, false],
      [true, true, true],
    ]);
    assert.deepEqual(again.map(([, id]) => id), first.map(([, id]) => id));
  }
});

Deno.test("what is drawn at a beat, and the waits that were seen, are kept apart", async () => {
  const drawings = createDrawings((viewer, room) =>
    Promise.resolve([{ id: room, draw: () => raw(viewer.key) as Markup }])
  );
  const asked = [ANN, BOB, ANN];
  const pages = asked.map((name) => drawings.open(viewerCalled(name), "r"));
  const said = await Promise.all(pages.map((page) => page.beat(1)));
  const texts = said.map((pieces) => new TextDecoder().decode(pieces[0]));
  texts.forEach((text, n) => assertMadeFor(asked[n]!, text, "a beat"));
  assert.equal(said[0], said[2], "drawn once for those who see the same");

  const log = createWaitLog();
  const wait = { agent_id: "a", token: "t", waiting_on: "x", over: false };
  log.observe(viewerCalled(ANN), "r", new Map([["a", wait]]), new Date());
  assert.equal(log.observe(viewerCalled(ANN), "r", new Map(), new Date()).length, 1);
  assert.deepEqual(log.observe(viewerCalled(BOB), "r", new Map(), new Date()), []);
});

Deno.test("no two viewers have a key in common, whatever it is the key of", () => {
  const viewers = [EVERYBODY, SERVICE, ...["ann", "bob", '["ann"]'].map((key) => ({ key }))];
  const names = ["", "r", "ann", " r", '["ann","r"]'];
  const keys = viewers.flatMap((viewer) => names.map((name) => keyFor(viewer, name)));
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(keyFor(EVERYBODY, "r"), "r", "kept under it by the releases before");
});
