import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import Database from "libsql";
import { LIMITS } from "../../routes/http/limits.ts";
import { toHead } from "../../db/messages/message.ts";
import { DELETED, RELEASE } from "../../db/release.ts";
import { SERVICE } from "../../db/viewer.ts";
import { type TestApp, withApp } from "../support/app.ts";
import { holdTimers } from "../support/timers.ts";
import { bearer } from "../support/tokens.ts";

/** A value of which a page of a large read holds some fifteen. */
const LARGE = "x".repeat(30_000);
const COUNT = 100;

type Member = Record<string, unknown>;
/** What a room holds at one revision. */
type Contents = Record<"state" | "messages" | "agents" | "reservations", Member[]>;

interface Room extends TestApp {
  send(method: string, path: string, body?: unknown): Promise<Member>;
}

/**
 * Asks for something of a room that changes after each page of it that is read, and checks that the answer is what
 * the room held at the answer's revision.
 */
async function readWhileChanging(
  { fill, change, ask, expected, shown = (answer) => answer, locked = false }: {
    fill(room: Room): Promise<unknown>;
    change(room: Room, n: number, name: string): Promise<unknown>;
    ask: Record<string, [method: string, path: string, body?: unknown]>;
    expected: Record<string, (contents: Contents) => unknown>;
    shown?: (answer: unknown) => unknown;
    /** Asks as the admin of a locked room. */
    locked?: boolean;
  },
): Promise<void> {
  let afterPage: (() => Promise<void>) | undefined;
  // What the test does between pages counts for the request: it is to have all the time that it takes.
  using _deadlines = holdTimers(Math.min(LIMITS.bodyMs, LIMITS.requestMs));
  await withApp(async (app) => {
    const stored = `${locked ? "\t" : ""}r`;
    const { body: { token } } = await app.json("POST", "/rooms", { id: "r", ...locked && { locked } });
    const as = locked ? bearer(token) : undefined;
    const room: Room = {
      ...app,
      async send(method, path, body) {
        const { status, body: answer } = await app.json(method, `/rooms/r${path}`, body, as);
        assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer).slice(0, 300)}`);
        return answer;
      },
    };
    await fill(room);
    let changes = 0;
    for (const name in ask) {
      const history = new Map([snapshotOf(app.file, stored)]);
      let pages = 0;
      afterPage = async () => {
        pages++;
        await change(room, changes++, name);
        history.set(...snapshotOf(app.file, stored));
      };
      const [method, path, body] = ask[name]!;
      const response = await app.request(method, `/rooms/r${path}`, body, as);
      afterPage = undefined;
      const answer = await response.json();
      const revision = Number(response.headers.get("Convene-Revision"));
      assert.ok(pages > 2, `${name} is read in ${pages} pages`);
      const snapshot = history.get(revision);
      assert.ok(snapshot, `${name} is of revision ${revision}, of ${[...history.keys()]}`);
      assert.deepEqual(brief(shown(answer)), brief(expected[name]!(contentsOf(snapshot, stored))), name);
      history.forEach((snapshot) => snapshot.close());
    }
  }, {
    wrap: (connection) => ({
      ...connection,
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        const then = afterPage;
        if (then === undefined || !statements.some(({ sql }) => sql.includes(" AS page"))) return rows;
        afterPage = undefined; // what is done meanwhile reads, too
        await then();
        afterPage = then;
        return rows;
      },
    }),
  });
}

/** Keeps what the room is now, under its revision: of all that it was while it was read, one is looked at. */
function snapshotOf(file: string, room: string): [revision: number, snapshot: Database.Database] {
  // By the library of the service: another one in this process would release its locks.
  const snapshot = new Database(new URL(file).pathname);
  snapshot.exec("BEGIN");
  const { revision } = snapshot.prepare("SELECT revision FROM rooms WHERE id = ?").get(room) as {
    revision: number;
  };
  return [revision, snapshot];
}

function contentsOf(snapshot: Database.Database, room: string): Contents {
  const rows = (sql: string, column: string) =>
    (snapshot.prepare(sql).all({ room }) as Member[]).map((row): Member => ({
      ...row,
      [column]: JSON.parse(row[column] as string),
    }));
  return {
    state: rows(
      `SELECT * FROM state WHERE room_id = :room OR room_id LIKE :room || char(10) || '%' ORDER BY scope, key`,
      "value",
    ),
    messages: rows("SELECT * FROM messages WHERE room_id = :room ORDER BY id", "body"),
    agents: rows("SELECT * FROM agents WHERE room_id = :room ORDER BY joined", "meta"),
    reservations: rows("SELECT * FROM reservations WHERE room_id = :room ORDER BY fence", "paths"),
  };
}

/** The same with long texts as their lengths, so that a difference can be read. */
function brief(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member) => member === LARGE ? LARGE.length : member),
  );
}

const keysOf = (n: number) => Array.from({ length: COUNT / 4 }, (_, k) => `key ${k}${"abcd"[n]}`);

const living = ({ state }: Contents) => state.filter(({ deleted }) => !deleted);
const listed = ({ room_id, scope, key, value, version, updated_at, updated_by }: Member) => {
  return {
    room_id,
    scope,
    key,
    value,
    version,
    updated_at,
    updated_by,
    verified_by: false,
    expires_at: null,
  };
};
const tombstone = ({ scope, key, version, updated_at }: Member) => {
  return { scope, key, deleted: true, version, updated_at };
};
const nested = (contents: Contents) =>
  Object.fromEntries(living(contents).map(({ key, value }) => [key, value]));

Deno.test("a state that changes while it is read in pages is answered as it was at one revision", () =>
  readWhileChanging({
    async fill(room) {
      for (const key of [0, 1, 2, 3].flatMap(keysOf)) await room.send("PUT", "/state", { key, value: LARGE });
    },
    async change(room, n) {
      // Two keys, the first and the last one, and those between them: they come, go and move.
      await room.send("PUT", "/state/batch", {
        writes: [{ key: "!", increment: -1 }, { key: "~", increment: 1 }, { key: `between ${n}`, value: n }],
      });
      await room.send("DELETE", "/state", { key: `key ${n}a` });
      await room.send("PUT", "/state", { key: `key ${n % 3}b`, value: n });
      await room.send("PUT", "/state", { key: `key 24${"abcd"[n % 4]}`, value: LARGE });
    },
    ask: {
      list: ["GET", "/state"],
      scope: ["GET", "/state?scope=_shared"],
      prefix: ["GET", "/state?prefix=key"],
      since: ["GET", "/state?since=0"],
      wait: ["POST", "/wait", { condition: "true", include: "state._shared" }],
      eval: ["POST", "/eval", { expr: 'state._shared.map(key, key + string(state._shared["~"]))' }],
    },
    expected: {
      list: (contents) => living(contents).map(listed),
      scope: (contents) => living(contents).map(listed),
      prefix: (contents) => living(contents).filter(({ key }) => String(key).startsWith("key")).map(listed),
      since: ({ state }) => state.map((row) => row.deleted ? tombstone(row) : listed(row)),
      wait: (contents) => ({
        triggered: true,
        value: true,
        condition: "true",
        state: { _shared: nested(contents) },
      }),
      eval: (contents) => ({
        expression: 'state._shared.map(key, key + string(state._shared["~"]))',
        value: living(contents).map(({ key }) => `${key}${nested(contents)["~"]}`),
        context_keys: ["state", "agents", "messages", "self", "now"],
      }),
    },
  }));

const SCOPES = ["ann", "bob", "cy", "dan"];
/** The scopes that become private during a read. */
const HIDDEN_IN: Record<string, string> = { list: "cy", since: "dan" };
/** Entries and tombstones, without those that a scope left to others when it became private. */
const seenByAdmin = ({ state }: Contents) => {
  const isPrivate = ({ room_id }: Member) => String(room_id).includes("\n");
  const hidden = new Set(state.filter(isPrivate).map(({ scope }) => scope));
  return state.filter((row) => isPrivate(row) || !hidden.has(row.scope))
    .map((row): Member => ({ ...row, room_id: "r" }));
};
const livingToAdmin = (contents: Contents) => seenByAdmin(contents).filter(({ deleted }) => !deleted);
const listedToAdmin = (contents: Contents) => livingToAdmin(contents).map(listed);

Deno.test("private scopes that change and become so while an admin reads them in pages are those of one revision", () =>
  readWhileChanging({
    locked: true,
    async fill(room) {
      for (const [n, id] of SCOPES.entries()) {
        await room.send("POST", "/agents", { id, name: id, secure: true, private: n < 2 });
        for (const key of keysOf(n)) await room.send("PUT", "/state", { scope: id, key, value: LARGE });
      }
      await room.send("PUT", "/state", { key: "open", value: LARGE });
    },
    async change(room, n, name) {
      await room.send("PUT", "/state/batch", {
        writes: SCOPES.map((scope) => ({ scope, key: "!", increment: 1 })),
      });
      for (const scope of SCOPES.slice(0, 3)) {
        await room.send("DELETE", "/state", { scope, key: `key ${n}${"abc"[SCOPES.indexOf(scope)]}` });
      }
      await room.send("PUT", "/state", { scope: SCOPES[n % 4], key: `between ${n}`, value: LARGE });
      const id = HIDDEN_IN[name];
      if (id) await room.send("POST", "/agents", { id, name: id, secure: true, private: true });
    },
    ask: {
      list: ["GET", "/state"],
      again: ["GET", "/state"],
      prefix: ["GET", "/state?prefix=key"],
      since: ["GET", "/state?since=0"],
      wait: ["POST", "/wait", { condition: "true", include: "state" }],
    },
    expected: {
      list: listedToAdmin,
      again: listedToAdmin,
      prefix: (contents) => listedToAdmin(contents).filter(({ key }) => String(key).startsWith("key")),
      since: (contents) => seenByAdmin(contents).map((row) => row.deleted ? tombstone(row) : listed(row)),
      wait: (contents) => {
        const state: Record<string, Member> = { _view: {} };
        for (const { scope, key, value } of livingToAdmin(contents)) {
          (state[scope as string] ??= {})[key as string] = value;
        }
        return { triggered: true, value: true, condition: "true", state };
      },
    },
  }));

const message = (row: Member) => ({ ...toHead(row), body: row.body });
const isHeld = ({ claimed_by, status }: Member) => claimed_by !== null && status === null;
const isOfAnn = ({ from_agent }: Member) => from_agent === "ann";
const isOfBob = ({ from_agent }: Member) => from_agent === "bob";
const isTaskOfCy = ({ to_agent, kind }: Member) => to_agent === "cy" && kind === "task";

Deno.test("messages that are posted and claimed while they are read in pages are those of one revision", () =>
  readWhileChanging({
    async fill(room) {
      // The senders' messages lie in two blocks of ids, of 256 each.
      for (let n = 0; n < 200; n++) await room.send("PUT", "/state", { key: "k", value: n });
      for (let n = 0; n < COUNT; n++) {
        await room.send("POST", "/messages", { body: LARGE, from: n % 10 ? "ann" : "bob" });
      }
    },
    async change(room, n) {
      const open = await room.send("GET", "/messages?unclaimed=true&limit=3") as unknown as Member[];
      await room.send("POST", `/messages/${open[n % 2]!.id}/claim`, { agent: "ada" });
      // Others come back, or are over.
      const end = ["complete", "release"][n % 3];
      if (end) await room.send("POST", `/messages/${open[n % 2]!.id}/${end}`, { agent: "ada" });
      await room.send("POST", "/messages", { body: n, from: "ann" });
    },
    ask: {
      all: ["GET", "/messages?limit=1000"],
      first: ["GET", "/messages?limit=80"],
      newest: ["GET", "/messages?last=80"],
      unclaimed: ["GET", "/messages?unclaimed=true&limit=70"],
      ofSender: ["GET", "/messages?from=ann&limit=85"],
      newestOfSender: ["GET", "/messages?from=ann&last=85"],
      unclaimedOfSender: ["GET", "/messages?from=ann&unclaimed=true&limit=60"],
      notDone: ["GET", "/messages?status=open&limit=70"],
    },
    expected: {
      all: ({ messages }) => messages.map(message),
      first: ({ messages }) => messages.slice(0, 80).map(message),
      newest: ({ messages }) => messages.slice(-80).map(message),
      unclaimed: ({ messages }) =>
        messages.filter(({ claimed_by }) => claimed_by === null).slice(0, 70).map(message),
      notDone: ({ messages }) =>
        messages.filter(({ claimed_by }) => claimed_by === null).slice(0, 70).map(message),
      ofSender: ({ messages }) => messages.filter(isOfAnn).slice(0, 85).map(message),
      newestOfSender: ({ messages }) => messages.filter(isOfAnn).slice(-85).map(message),
      unclaimedOfSender: ({ messages }) =>
        messages.filter(isOfAnn).filter(({ claimed_by }) => claimed_by === null).slice(0, 60).map(message),
    },
  }));

/** More messages than two pages pass. */
const MANY = 10_000;

const FILL_MANY = `
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})
  INSERT INTO messages (room_id, id, from_agent, to_agent, kind, body, created_at, revision)
  SELECT 'r', i, CASE WHEN i % 997 THEN 'ann' ELSE 'bob' END, CASE WHEN i % 3 THEN 'cy' END,
         CASE WHEN i % 499 THEN 'chat' ELSE 'task' END, '1', '', i FROM n`;

Deno.test("a page passes many messages at the most: where few match, they are of one revision all the same", () =>
  readWhileChanging({
    async fill(room) {
      const file = createClient({ url: room.file });
      await file.batch([
        FILL_MANY,
        `UPDATE rooms SET revision = ${MANY}, messages_revision = ${MANY}, message_count = ${MANY},
           unclaimed_count = ${MANY}`,
      ], "write");
      file.close();
    },
    async change(room, n) {
      const open = await room.send(
        "GET",
        "/messages?kind=task&unclaimed=true&limit=9",
      ) as unknown as Member[];
      const task = `/messages/${open[3 * (n % 3)]!.id}`;
      await room.send("POST", `${task}/claim`, { agent: "ada" });
      if (n % 3) await room.send("POST", `${task}/complete`, { agent: "ada", result: n });
      await room.send("POST", "/messages", { body: n, from: "bob", to: "cy", kind: "task" });
    },
    ask: {
      ofSender: ["GET", "/messages?from=bob&limit=1000"],
      newestOfSender: ["GET", "/messages?from=bob&last=1000"],
      few: ["GET", "/messages?from=bob&limit=17"],
      after: ["GET", "/messages?from=bob&after=1000&limit=1000"],
      none: ["GET", "/messages?from=ann&kind=none"],
      toReceiver: ["GET", "/messages?to=cy&kind=task&limit=1000"],
      newestToReceiver: ["GET", "/messages?to=cy&kind=task&last=1000"],
      open: ["GET", "/messages?to=cy&unclaimed=true&kind=task&limit=1000"],
      held: ["GET", "/messages?status=claimed"],
      done: ["GET", "/messages?status=done&last=1000"],
      hers: ["GET", "/messages?claimed_by=ada&limit=1000"],
    },
    expected: {
      held: ({ messages }) => messages.filter(isHeld).map(message),
      done: ({ messages }) => messages.filter(({ status }) => status === "done").map(message),
      hers: ({ messages }) => messages.filter(({ claimed_by }) => claimed_by === "ada").map(message),
      ofSender: ({ messages }) => messages.filter(isOfBob).map(message),
      newestOfSender: ({ messages }) => messages.filter(isOfBob).map(message),
      few: ({ messages }) => messages.filter(isOfBob).slice(0, 17).map(message),
      after: ({ messages }) => messages.filter(isOfBob).filter(({ id }) => Number(id) > 1_000).map(message),
      none: () => [],
      toReceiver: ({ messages }) => messages.filter(isTaskOfCy).map(message),
      newestToReceiver: ({ messages }) => messages.filter(isTaskOfCy).map(message),
      open: ({ messages }) =>
        messages.filter(isTaskOfCy).filter(({ claimed_by }) => claimed_by === null).map(message),
    },
  }));

/** More messages than two steps of a thread pass. */
const LONG = 10_000;

/** Nearly every message answers one before it, whichever. */
const FILL_THREAD = `
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${LONG})
  INSERT INTO messages (room_id, id, from_agent, kind, body, created_at, reply_to, revision)
  SELECT 'r', i, 'ann', CASE WHEN i % 499 THEN 'chat' ELSE 'task' END, '1', '',
         CASE WHEN i > 1 AND i % 40 THEN 1 + (i * 2654435761 % 4294967296) % (i - 1) END, i FROM n`;

/** What of a room's messages belongs to the thread of one. */
const threadOf = (root: number, { messages }: Contents) => {
  const within = new Set<unknown>([root]);
  return messages.filter(({ id, reply_to }) => {
    if (within.has(reply_to)) within.add(id);
    return within.has(id);
  });
};
const isTask = ({ kind }: Member) => kind === "task";
const isOpen = ({ claimed_by }: Member) => claimed_by === null;

Deno.test("a thread that grows while it is walked is that of one revision", () =>
  readWhileChanging({
    async fill(room) {
      const file = createClient({ url: room.file });
      await file.batch([
        FILL_THREAD,
        `UPDATE rooms SET revision = ${LONG}, messages_revision = ${LONG}, message_count = ${LONG},
           unclaimed_count = ${LONG}`,
      ], "write");
      file.close();
    },
    async change(room, n) {
      // Below the first message, below what was walked at once, below what never is, and below the newest of these.
      const below = async (reply_to: number, kind = "task") =>
        await room.send("POST", "/messages", { body: n, from: "bob", kind, reply_to }) as { id: number };
      const first = await below(1, "chat");
      await below(first.id);
      await below(4);
      await below(LONG - 1);
      const open = await room.send(
        "GET",
        "/messages?kind=task&unclaimed=true&limit=9",
      ) as unknown as Member[];
      await room.send("POST", `/messages/${open[2 * (n % 4)]!.id}/claim`, { agent: "ada" });
    },
    ask: {
      tasks: ["GET", "/messages?thread=1&kind=task&limit=1000"],
      newest: ["GET", "/messages?thread=1&last=700"],
      newestTasks: ["GET", "/messages?thread=1&kind=task&last=1000"],
      open: ["GET", "/messages?thread=1&unclaimed=true&kind=task&limit=1000"],
      newestOpen: ["GET", "/messages?thread=1&unclaimed=true&kind=task&last=1000"],
      ofBob: ["GET", "/messages?thread=1&from=bob&limit=1000"],
      after: [`GET`, `/messages?thread=1&after=${LONG - 300}&limit=1000`],
    },
    expected: {
      tasks: (contents) => threadOf(1, contents).filter(isTask).map(message),
      newest: (contents) => threadOf(1, contents).slice(-700).map(message),
      newestTasks: (contents) => threadOf(1, contents).filter(isTask).map(message),
      open: (contents) => threadOf(1, contents).filter(isTask).filter(isOpen).map(message),
      newestOpen: (contents) => threadOf(1, contents).filter(isTask).filter(isOpen).map(message),
      ofBob: (contents) => threadOf(1, contents).filter(isOfBob).map(message),
      after: (contents) => threadOf(1, contents).filter(({ id }) => Number(id) > LONG - 300).map(message),
    },
  }));

const agent = (row: Member) => {
  const { joined: _, revision: __, ...members } = row;
  return { ...members, waiting_on: null, alive: true, secure: false };
};

Deno.test("agents that join and change while they are read in pages are those of one revision", () =>
  readWhileChanging({
    async fill(room) {
      for (let n = 0; n < COUNT; n++) {
        await room.send("POST", "/agents", { id: `agent ${n}`, name: "n", meta: { text: LARGE } });
      }
    },
    async change(room, n) {
      await room.send("POST", `/agents/agent ${n}/heartbeat`, { status: n % 2 ? "busy" : "idle" });
      await room.send("POST", "/agents", { id: `late ${n}`, name: "late" });
      await room.send("POST", "/agents", { id: "agent 99", name: `renamed ${n}` });
      // Some leave, and some of those come back, behind the others.
      for (const id of [`agent ${50 + n}`, `agent ${20 + n}`]) await room.send("DELETE", `/agents/${id}`);
      await room.send("POST", "/agents", { id: `agent ${20 + n}`, name: "back" });
    },
    ask: { list: ["GET", "/agents"], again: ["GET", "/agents"] },
    expected: { list: ({ agents }) => agents.map(agent), again: ({ agents }) => agents.map(agent) },
  }));

Deno.test("reservations that begin and end while they are read in pages are those of one revision", () => {
  const paths = (n: string | number) => [`${n}/${"x".repeat(100)}`];
  return readWhileChanging({
    async fill(room) {
      for (let n = 0; n < 2.5 * COUNT; n++) {
        await room.send("POST", "/reservations", {
          agent: `agent ${n % 9}`,
          paths: paths(n),
          note: "n".repeat(4_000),
        });
      }
      await room.send("POST", "/agents", { id: "agent 1", name: "n" });
    },
    async change(room, n) {
      const inForce = await room.send("GET", "/reservations?agent=agent+2") as unknown as Member[];
      const { id, agent } = inForce[0]!;
      await room.send("DELETE", `/reservations/${id}`, { agent });
      await room.send("POST", "/reservations", { agent: "late", paths: paths(`late ${n}`) });
      if (n === 1) await room.send("DELETE", "/agents/agent 1");
    },
    ask: { list: ["GET", "/reservations"] },
    expected: {
      list: ({ reservations }) => reservations.map(({ id }) => id),
    },
    shown: (answer) => (answer as Member[]).map(({ id }) => id),
  });
});

Deno.test("of a room that this release may not serve, a read is over with its first page", () =>
  withApp(async ({ json, batches, services: { database } }) => {
    await json("POST", "/rooms", { id: "r" });
    for (let n = 0; n < COUNT / 4; n++) {
      await json("PUT", "/rooms/r/state", { key: `key ${n}`, value: LARGE });
      await json("POST", "/rooms/r/messages", { body: LARGE });
    }
    for (const [requires, status] of [[RELEASE + 1, 503], [DELETED, 404]] as const) {
      await database.commit(SERVICE, [{ sql: "UPDATE rooms SET requires = :requires", args: { requires } }]);
      for (const path of ["/state", "/messages", "/messages?last=100"]) {
        batches.length = 0;
        assert.equal((await json("GET", `/rooms/r${path}`)).status, status, path);
        assert.equal(batches.length, 1, path);
      }
    }
  }));
