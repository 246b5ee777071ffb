import type { Client } from "@libsql/client";
import assert from "node:assert/strict";

/** What is asked for: a request, and the statuses that answer it. */
export interface Asked {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  status?: number;
  /** Bytes after which the reader of an endless answer leaves. */
  most?: number;
}

export const ROOMS = { large: "large", many: "many", other: "other" } as const;

/** Many small members, which cost more to read and to write than one text of this length: 60 KB of JSON. */
const VALUE = JSON.stringify(Array.from({ length: 2_200 }, (_, n) => ({ n, text: `${n % 10}`, ok: true })));
const SMALL = JSON.stringify(Array.from({ length: 28 }, (_, n) => ({ n, text: `${n % 10}`, ok: true })));
const LARGE_COUNT = 40;
const MANY_COUNT = 1_000;

const COUNT = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)`;
const NOW = "2026-01-01T00:00:00.000Z";

const ROOM = `
  INSERT INTO rooms (id, created_at, meta, revision, state_revision, agents_revision, messages_revision,
                     key_count, agent_count, message_count, unclaimed_count)
  VALUES (:room, '${NOW}', '{}', :last, :last, :last, :last, :count, :count, :count, :count)`;

const STATE = `${COUNT}
  INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
  SELECT :room, '_shared', 'key ' || i, :value, 1, i, '${NOW}', 0 FROM n`;

const AGENTS = `${COUNT}
  INSERT INTO agents (room_id, id, name, role, meta, status, joined, joined_at, last_heartbeat, revision)
  SELECT :room, 'agent ' || i, 'name', 'role', '{"list":' || :value || '}', 'idle', :count + i, '${NOW}', '${NOW}',
         :count + i FROM n`;

const MESSAGES = `${COUNT}
  INSERT INTO messages (room_id, id, from_agent, kind, body, created_at, revision)
  SELECT :room, 2 * :count + i, 'agent 1', 'message', :value, '${NOW}', 2 * :count + i FROM n`;

const METAS = `${COUNT}
  INSERT INTO rooms (id, created_at, meta) SELECT 'meta ' || i, '2026-01-02T00:00:00.000Z', '{"list":' || :value || '}' FROM n`;

/** Fills rooms with all that one answer may hold, past the service, which would take long. */
export async function fillRooms(database: Client): Promise<void> {
  const rooms = [[ROOMS.large, LARGE_COUNT, VALUE], [ROOMS.many, MANY_COUNT, SMALL]] as const;
  for (const [room, count, value] of rooms) {
    for (const sql of [ROOM, STATE, AGENTS, MESSAGES]) {
      const all = { room, count, value, last: 3 * count };
      const args = Object.fromEntries(Object.entries(all).filter(([name]) => sql.includes(`:${name}`)));
      await database.batch([{ sql, args }], "write");
    }
  }
  await database.batch([{ sql: METAS, args: { count: MANY_COUNT, value: SMALL } }], "write");
  await database.batch([{ sql: ROOM, args: { room: ROOMS.other, count: 0, last: 0 } }], "write");
}

const get = (path: string): Asked => ({ method: "GET", path });
const of = (room: string, path: string): Asked => get(`/rooms/${room}/${path}`);
const wait = (room: string, include: string): Asked => ({
  method: "POST",
  path: `/rooms/${room}/wait`,
  body: { condition: "true", include },
});
const tool = (name: string, given: Record<string, unknown>): Asked => ({
  method: "POST",
  path: "/mcp",
  headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
  body: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: given } },
});

/**
 * Answers that may be large, by what they are, of which each reads in another way, or more than the others: they are
 * asked for over each database.
 */
export const READ: Record<string, Asked> = {
  "the list of rooms": get("/rooms?limit=1000"),
  "a list of short values": of(ROOMS.many, "state"),
  "a list of long values": of(ROOMS.large, "state"),
  "short messages": of(ROOMS.many, "messages?limit=1000"),
  "short changes": of(ROOMS.many, "changes?after=0&limit=1000"),
  "long changes": of(ROOMS.large, "changes?after=0&limit=1000"),
  "a stream of changes": { ...of(ROOMS.large, "events?after=0"), most: 1_500_000 },
  "a stream of the page's pieces": { ...of(ROOMS.many, "live?after=0"), most: 150_000 },
  "a page of short pieces": get(`/?room=${ROOMS.many}`),
  "a wait with the state": wait(ROOMS.large, "state"),
  "a wait with messages": wait(ROOMS.large, "messages:after:0"),
  "a wait with all": wait(ROOMS.many, "state,agents,messages,messages:after:0,changes:after:0"),
  "a batch": {
    method: "PUT",
    path: `/rooms/${ROOMS.other}/state/batch`,
    body: {
      writes: Array.from({ length: 20 }, (_, n) => ({
        key: `key ${n}`,
        value: JSON.parse(VALUE).slice(0, 400),
      })),
    },
  },
  "the tool join": tool("join", { room: ROOMS.large, agent: "agent 1" }),
};

/** And those that differ in what is made of the rows, which is the same over each database: asked for over a file. */
export const MADE: Record<string, Asked> = {
  "a list by revision": of(ROOMS.many, "state?since=0"),
  "a long value": of(ROOMS.large, "state?key=key 1"),
  "short metas": of(ROOMS.many, "agents"),
  "a page of long pieces": get(`/?room=${ROOMS.large}`),
  "older short messages": of(ROOMS.many, "live/messages?limit=300"),
  "more short entries": of(ROOMS.many, "live/entries?scope=_shared"),
  "the console": of(ROOMS.many, "live/evaluation?expr=state._shared"),
  "a large result": { method: "POST", path: `/rooms/${ROOMS.many}/eval`, body: { expr: "state._shared" } },
  "a large value of a condition": {
    method: "POST",
    path: `/rooms/${ROOMS.many}/wait`,
    body: { condition: "state._shared" },
  },
  "a conflict with a long value": {
    method: "PUT",
    path: `/rooms/${ROOMS.large}/state`,
    body: { key: "key 1", value: 1, if_version: 9 },
    status: 409,
  },
  "the tool read_room": tool("read_room", { room: ROOMS.many }),
  "the tool get_state": tool("get_state", { room: ROOMS.many }),
  "the API's document": get("/openapi.json"),
};

/** Takes an answer, or the beginning of an endless one, without doing anything with it. */
export async function take(url: string, { method, path, body, headers, status = 200, most }: Asked) {
  const response = await fetch(url + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  let length = 0;
  for await (const piece of response.body!) {
    length += piece.length;
    if (most !== undefined && length > most) break;
  }
  assert.equal(response.status, status, `${method} ${path}`);
  return length;
}
