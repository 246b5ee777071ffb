/** Private scopes as those see a room who may not read them: it answers as if nothing had been written there. */
import assert from "node:assert/strict";
import { createDatabase, type Database } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { SERVICE } from "../../db/viewer.ts";
import { createApp } from "../../routes/app.ts";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { createServices } from "../../routes/services.ts";
import type { Json } from "../support/client.ts";
import { DATABASES } from "../support/databases.ts";
import { heldTime } from "../support/held_time.ts";
import { bearer } from "../support/tokens.ts";

type Ask = (method: string, path: string, body?: unknown, token?: string) => Promise<Response>;

interface Instance {
  ask: Ask;
  stop(): Promise<void>;
}

function instanceOf(database: Database): Instance {
  const services = createServices(database, { fairUse: { ...FAIR_USE, roomPerSecond: 1e6 } });
  const app = createApp(services);
  return {
    ask: async (method, path, body, token) =>
      await app.request(path, {
        method,
        headers: token ? bearer(token) : {},
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    async stop() {
      await services.watch.drain();
      await database.close();
    },
  };
}

/** Draws whole numbers below `n`. */
function drawsFrom(seed: number): (n: number) => number {
  return (n) => (seed = (seed * 48_271) % 2_147_483_647) % n;
}

const SECRET = "what-is-ann's";
const NAMES = ["hand", "gold", "turn", "plan"];

/** A write of the private scope; `open` is what it writes beside it that everybody sees. */
function drawHidden(draw: (n: number) => number): { method: string; path: string; body: Json; open?: Json } {
  const key = NAMES[draw(4)]!;
  const value = [`${SECRET} ${draw(9)}`, draw(9), [SECRET], { [SECRET]: draw(9) }][draw(4)];
  const scope = "ann";
  const put = (body: Json) => ({ method: "PUT", path: "/state", body: { scope, key, ...body } });
  switch (draw(9)) {
    case 0:
      return { method: "DELETE", path: "/state", body: { scope, key } };
    case 1:
      return put({ value, ttl: 3_600 });
    case 2:
      return put({ append: value });
    case 3:
      return put({ increment: 0.5 });
    case 4:
      return put({ value, if: "has(state.ann.hand) || true" });
    case 5: {
      const open = { key: "beside", value: draw(9) };
      const writes = [{ scope, key, value }, open, { scope, key: `${key}2`, increment: 1 }];
      return { method: "PUT", path: "/state/batch", body: { writes }, open: { writes: [open] } };
    }
    case 6:
      return put({ value, if_version: draw(3) });
    case 7:
      return put({ merge: { [SECRET]: draw(9) } });
    default:
      return put({ value });
  }
}

/** Something that everybody sees. */
function drawOpen(
  draw: (n: number) => number,
): [method: string, path: string, body: Json, by?: "ann" | "bob"] {
  const key = NAMES[draw(4)]!;
  switch (draw(7)) {
    case 0:
      return ["POST", "/messages", { from: "bob", kind: "task", body: draw(9) }, "bob"];
    case 1:
      return ["PUT", "/state", { key, value: draw(9) }, "ann"];
    case 2:
      return ["PUT", "/state", { scope: "bob", key, value: draw(9) }, "bob"];
    case 3:
      return ["PUT", "/state", { scope: "carl", key, value: draw(9) }];
    case 4:
      return ["DELETE", "/state", { key }];
    case 5:
      return ["PUT", "/state", { scope: "_view", key, expr: `size(state.ann) + ${draw(3)}` }, "bob"];
    default:
      return ["PUT", "/state", {
        scope: "_view",
        key,
        expr: "[has(state.ann.hand), state.map(s, size(state[s]))]",
      }];
  }
}

const EXPRESSIONS = [
  "state",
  "state.ann",
  "size(state.ann)",
  "state.ann.hand",
  "state.ann.hnad",
  "has(state.ann.gold)",
  "state.map(s, size(state[s]))",
  "state.ann.exists(k, state.ann[k] == 3)",
  'state["ann"]["turn"]',
  "state._view",
  "agents.ann",
  "[messages.count, size(state)]",
  "[1, 2, 3].map(n, state.ann.map(k, size(k)))",
];

/** All that is asked by those who see nothing of the scope. `since`: a revision in the middle. */
function questionsAt(since: number): Array<[method: string, path: string, body?: Json]> {
  return [
    ["GET", ""],
    ["GET", "/state"],
    ["GET", "/state?scope=ann"],
    ["GET", "/state?scope=ann&key=hand"],
    ["GET", "/state?scope=ann&key=hand&resolve=true"],
    ["GET", "/state?prefix=h"],
    ["GET", "/state?since=0"],
    ["GET", `/state?since=${since}`],
    ["GET", "/state?scope=ann&since=0"],
    ["GET", "/state?resolve=true"],
    ["GET", "/agents"],
    ["GET", "/agents/ann"],
    ["GET", "/changes?after=0"],
    ["GET", `/changes?after=${since}`],
    ["GET", `/changes?after=${since}&limit=1`],
    ["GET", "/messages"],
    ["GET", "PAGE"],
    ["GET", "/live/entries?scope=ann"],
    ["GET", `/live/evaluation?expr=${encodeURIComponent("state.ann")}`],
    ...EXPRESSIONS.map((expr): [string, string, Json] => ["POST", "/eval", { expr }]),
    ...EXPRESSIONS.slice(0, 8).map((condition): [string, string, Json] => [
      "POST",
      "/wait",
      { condition: `${condition} == 12345`, timeout: 0, include: `state,agents,changes:${since}` },
    ]),
    ["POST", "/wait", { condition: "false", timeout: 0, include: "state.ann,changes:0" }],
  ];
}

/** Writes that are refused to them. */
function attempts(): Array<[method: string, path: string, body?: Json]> {
  return [
    ["PUT", "/state", { scope: "ann", key: "hand", value: 1 }],
    ["PUT", "/state", { scope: "ann", key: "hand", value: 1, if_version: 1 }],
    ["PUT", "/state", { scope: "ann", key: "hand", increment: true }],
    ["PUT", "/state", { scope: "ann", key: "hand", value: 1, if: "state.ann.hand == 1" }],
    ["PUT", "/state", { key: "gated", value: 1, if: "size(state.ann) > 0" }],
    ["PUT", "/state", { key: "gated", value: 1, if: "state.ann.hand == 1" }],
    ["PUT", "/state/batch", {
      writes: [{ key: "x", value: 1 }, { scope: "ann", key: "hand", value: 1, if_version: 2 }],
    }],
    ["DELETE", "/state", { scope: "ann", key: "hand" }],
    ["DELETE", "/state?scope=ann&key=hand&if_version=1"],
    ["POST", "/messages/claim", { agent: "carl", kind: "none", where: "size(state.ann) > 0" }],
    ["POST", "/messages/claim", { agent: "carl", kind: "task", where: "state.ann.hand == message.body" }],
  ];
}

const KEPT = ["etag", "link", "convene-revision", "convene-reset", "convene-older"];

/** An answer without what differs between any two rooms: their ids, and the time. */
async function shownOf(response: Response, room: string): Promise<string> {
  const body = await response.text();
  const text = body.startsWith("<") ? body.replaceAll(/<time[^>]*>[^<]*|[\d.]+/g, "") : body;
  const headers = KEPT.map((name) => response.headers.get(name));
  return JSON.stringify([response.status, headers, text])
    .replaceAll(room, "ROOM")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/elapsed_ms\\":\d+/g, "elapsed");
}

/** A room with ann, whose scope is private; bob, who is secure; and one who only reads. */
async function makeRoom(ask: Ask, room: string, ofAnn: Json = { private: true }) {
  await ask("POST", "/rooms", { id: room });
  const token = async (id: string, members: Json) => {
    const reply = await ask("POST", `/rooms/${room}/agents`, { id, name: id, secure: true, ...members });
    return (await reply.json()).token as string;
  };
  const [ann, bob] = [await token("ann", ofAnn), await token("bob", {})];
  const made = await ask("POST", `/rooms/${room}/tokens`, { role: "reader" }, bob);
  return { room, ann, bob, reader: (await made.json()).token as string };
}

/** An answer with what changed in one revision in the order of keys. */
function inOrder(answer: string): string {
  const [status, headers, text] = JSON.parse(answer);
  if (!/^[{[]/.test(text)) return answer;
  const sorted = JSON.stringify(
    JSON.parse(
      text,
      (_, value) =>
        Array.isArray(value) && value.every((entry) => entry?.revision && entry.scope)
          ? value.sort((a, b) => a.revision - b.revision || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
          : value,
    ),
  );
  return JSON.stringify([status, headers, sorted]);
}

const COUNTED =
  "key_count, view_count, tombstone_count, state_revision, views_revision, revision, requires, guarded";

/** Runs a few at a time, for a machine that has more to do. */
async function fewAtOnce<T>(items: T[], run: (item: T) => Promise<void>): Promise<void> {
  for (let n = 0; n < items.length; n += 8) await Promise.all(items.slice(n, n + 8).map(run));
}

const BUMP = "UPDATE rooms SET revision = revision + 1 WHERE id = :room";

const PLACES = {
  ...DATABASES,
  memory: () => Promise.resolve({ url: ":memory:", stop: () => Promise.resolve() }),
};

/** Runs a test over two instances of a database of each kind. */
function onTwo(
  name: string,
  test: (database: Database, instances: Instance[], kind: string) => Promise<void>,
): void {
  for (const [kind, open] of Object.entries(PLACES)) {
    Deno.test(`${kind}: ${name}`, async () => {
      const place = await open();
      const first = createDatabase({ connect: () => connect(place.url) });
      const one = instanceOf(first);
      const other = kind === "memory"
        ? one
        : instanceOf(createDatabase({ connect: () => connect(place.url) }));
      try {
        await test(first, [one, other], kind);
      } finally {
        await one.stop();
        if (other !== one) await other.stop();
        await place.stop();
      }
    });
  }
}

onTwo(
  "to all others a room is as if nothing was ever written in a private scope",
  async (database, instances, kind) => {
    await compare(database, instances, 3, kind);
  },
);

onTwo("to its agent a private scope is as any other", async (_, instances, kind) => {
  const draw = drawsFrom(5);
  const rooms = [
    await makeRoom(instances[0]!.ask, "room-with-it"),
    await makeRoom(instances[0]!.ask, "room-without", {}),
  ];
  const same = async (method: string, path: string, body: unknown, name = "") => {
    const { ask } = instances[draw(instances.length)]!;
    const answers = await Promise.all(rooms.map(async (room) => {
      const reply = await ask(method, `/rooms/${room.room}${path}`, body, room.ann);
      return inOrder(await shownOf(reply, room.room)).replaceAll(/\\"private\\":(true|false)/g, "private");
    }));
    assert.equal(answers[0], answers[1], `${kind}, ${name}: ${method} ${path} ${JSON.stringify(body)}`);
  };
  for (let step = 0; step < 26; step++) {
    const hidden = drawHidden(draw);
    await same(hidden.method, hidden.path, hidden.body, `${step}`);
    const [method, path, body] = drawOpen(draw);
    if (method !== "POST" && body.scope !== "bob") await same(method, path, body, `${step}`);
    if (step % 13 < 12) continue;
    const since = 4 + draw(step);
    const asked = questionsAt(since).filter(([, path]) => path !== "PAGE");
    await fewAtOnce(asked, ([method, path, body]) => same(method, path, body, `${step}`));
    for (const [method, path, body] of attempts()) await same(method, path, body, `${step}`);
  }
});

onTwo("a wait hears of what it sees of a private scope, and of no more", async (_, [one, other]) => {
  const { room, ann, bob } = await makeRoom(one!.ask, "waits");
  const put = (body: Json) => one!.ask("PUT", `/rooms/${room}/state`, body, ann);
  await put({ scope: "_view", key: "size", expr: "size(state.ann)" });
  const wait = async (condition: string, token?: string) => {
    const body = { condition, timeout: 20_000 };
    return await (await other!.ask("POST", `/rooms/${room}/wait`, body, token)).json();
  };
  const own = wait("state.ann.hand == 2", ann);
  const ofView = [wait("state._view.size == 1"), wait("state._view.size == 1", bob)];
  let heard = false;
  const unseen = wait("size(state.ann) > 0 || has(state._shared.end)", bob).then((result) => {
    heard = true;
    return result;
  });
  await put({ scope: "ann", key: "hand", value: 1 });
  for (const result of await Promise.all(ofView)) assert.equal(result.triggered, true);
  await put({ scope: "ann", key: "hand", value: 2 });
  assert.equal((await own).triggered, true);
  assert.equal(heard, false);
  await put({ key: "end", value: true });
  assert.equal((await unseen).triggered, true);
});

onTwo(
  "gated writes of a private scope that come at once at two instances follow each other",
  async (_, instances) => {
    const { room, ann } = await makeRoom(instances[0]!.ask, "races");
    const path = `/rooms/${room}/state`;
    const replies = await Promise.all(Array.from({ length: 12 }, (_, n) => {
      const body = { scope: "ann", key: "n", increment: 1, if: "!has(state.ann.n) || state.ann.n < 9" };
      return instances[n % instances.length]!.ask("PUT", path, body, ann);
    }));
    const statuses = replies.map(({ status }) => status).sort();
    for (const reply of replies) await reply.text();
    assert.deepEqual(statuses, [...Array(9).fill(200), ...Array(3).fill(409)]);
    const seen = await instances[0]!.ask("GET", `${path}?scope=ann&key=n`, undefined, ann);
    assert.equal((await seen.json()).value, 9);
  },
);

for (const [kind, open] of Object.entries(PLACES)) {
  Deno.test(`${kind}: keys of a private scope end, and others see nothing of it`, async () => {
    const place = await open();
    const time = { now: Date.UTC(2030, 1, 1) };
    const instance = instanceOf(createDatabase(heldTime(time, () => connect(place.url))));
    const { ask } = instance;
    try {
      const { room, ann } = await makeRoom(ask, "ends");
      const put = async (body: Json) =>
        await (await ask("PUT", `/rooms/${room}/state`, { scope: "ann", ...body }, ann)).json();
      const keys = async (token?: string) =>
        (await (await ask("GET", `/rooms/${room}/state?since=0`, undefined, token)).json())
          .map(({ key, deleted }: Json) => [key, deleted ?? false]);
      await put({ key: "first", value: 1, ttl: 60 });
      await put({ key: "later", value: 1, ttl: 600 });
      await put({ key: "stays", value: 1 });
      // A wait that ends sets the room's first end anew.
      const wait = { condition: "false", timeout: 50, agent: "ann" };
      await (await ask("POST", `/rooms/${room}/wait`, wait, ann)).text();
      time.now += 61_000;
      assert.deepEqual(await keys(), []);
      assert.deepEqual(await keys(ann), [["first", true], ["later", false], ["stays", false]]);
      time.now += 600_000;
      assert.deepEqual(await keys(ann), [["first", true], ["later", true], ["stays", false]]);
      assert.deepEqual(await keys(), []);
      assert.equal((await put({ key: "first", value: 2 })).version, 3);
      // What is to end when the scope becomes private ends at its time too.
      const late = await makeRoom(ask, "late", {});
      const at = `/rooms/${late.room}`;
      await (await ask("PUT", `${at}/state`, { scope: "ann", key: "k", value: 1, ttl: 60 }, late.ann)).text();
      const hides = { name: "Ann", secure: true, private: true };
      await (await ask("POST", `${at}/agents`, hides, late.ann)).text();
      time.now += 61_000;
      const left = await ask("GET", `${at}/state?scope=ann&key=k`, undefined, late.ann);
      assert.equal((await left.json()).error, "key_not_found");
    } finally {
      await instance.stop();
      await place.stop();
    }
  });
}

onTwo(
  "what an agent writes while its scope becomes private is there for it, and for nobody else",
  async (_, all) => {
    const { room, ann } = await makeRoom(all[0]!.ask, "becomes", {});
    const path = `/rooms/${room}`;
    const put = async (n: number) => {
      const body = {
        scope: "ann",
        key: `k${n}`,
        ...(n % 3 === 0 ? { increment: 1 } : { value: n }),
        ...(n % 4 === 0 && { ttl: 600 }),
      };
      const reply = await all[n % all.length]!.ask("PUT", `${path}/state`, body, ann);
      assert.equal(reply.status, 200, await reply.text());
    };
    const hide = async () => {
      const reply = await all[0]!.ask(
        "POST",
        `${path}/agents`,
        { name: "Ann", secure: true, private: true },
        ann,
      );
      assert.equal((await reply.json()).private, true);
    };
    await Promise.all([
      ...Array.from({ length: 12 }, (_, n) => put(n)),
      hide(),
      ...Array.from({ length: 12 }, (_, n) => put(12 + n)),
    ]);
    for (const { ask } of all) {
      const keys = async (token?: string) =>
        (await (await ask("GET", `${path}/state`, undefined, token)).json()).map(({ key }: Json) => key);
      assert.deepEqual([(await keys(ann)).length, await keys()], [24, []]);
    }
  },
);

async function compare(database: Database, instances: Instance[], seed: number, kind: string): Promise<void> {
  const draw = drawsFrom(seed);
  const any = () => instances[draw(instances.length)]!;
  const with_ = await makeRoom(instances[0]!.ask, "room-with");
  const without = await makeRoom(instances[0]!.ask, "room-none");
  let hidden = 0;
  for (let step = 0; step < 40; step++) {
    if (draw(3) > 0) {
      const { method, path, body, open } = drawHidden(draw);
      const { ask } = any();
      const before = await revisionOf(ask, with_.room);
      const reply = await ask(method, `/rooms/${with_.room}${path}`, body, with_.ann);
      await reply.body?.cancel();
      const written = await revisionOf(ask, with_.room) - before;
      assert.ok(reply.status < 300 || reply.status === 409 || reply.status === 412, `${reply.status}`);
      if (written === 1) hidden++;
      if (written === 1 && open) {
        await (await ask("PUT", `/rooms/${without.room}/state/batch`, open, without.ann)).body?.cancel();
      } else if (written === 1) {
        await database.commit(SERVICE, [{ sql: BUMP, args: { room: without.room } }]);
      }
    } else {
      const [method, path, body, by] = drawOpen(draw);
      const { ask } = any();
      for (const room of [with_, without]) {
        const reply = await ask(method, `/rooms/${room.room}${path}`, body, by && room[by]);
        const text = await reply.text();
        assert.ok(reply.status < 300, text);
      }
    }
    await sameCounts();
    if (step % 13 === 12) await ask(step);
  }
  assert.ok(hidden > 12, `${hidden} writes of the scope`);
  /** Compares what others might learn from of the rooms' own rows. */
  async function sameCounts(): Promise<void> {
    const [rows] = await database.read(SERVICE, [{
      sql: `SELECT ${COUNTED} FROM rooms WHERE id IN (:one, :other)`,
      args: { one: with_.room, other: without.room },
    }]);
    assert.deepEqual({ ...rows![0] }, { ...rows![1] });
  }

  async function ask(step: number): Promise<void> {
    const { ask } = any();
    const since = 4 + draw(step);
    for (const actor of [undefined, "bob", "reader"] as const) {
      await fewAtOnce([...questionsAt(since), ...attempts()], async ([method, path, body]) => {
        const answers = await Promise.all([with_, without].map(async (room) => {
          const at = path === "PAGE" ? `/?room=${room.room}` : `/rooms/${room.room}${path}`;
          return await shownOf(await ask(method, at, body, actor && room[actor]), room.room);
        }));
        const name = `${kind}, ${step}: ${actor ?? "nobody"} asks ${method} ${path} ${JSON.stringify(body)}`;
        assert.ok(!answers[0]!.includes(SECRET), `${name}: ${answers[0]}`);
        assert.equal(answers[0], answers[1], name);
      });
    }
  }
}

async function revisionOf(ask: Ask, room: string): Promise<number> {
  const reply = await ask("GET", `/rooms/${room}`);
  await reply.body?.cancel();
  return Number(reply.headers.get("convene-revision"));
}
