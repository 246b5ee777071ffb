/**
 * The peer of `throughput`: Hono, and one call of `@libsql/client` a request, over the plainest tables that
 * give the same answers. What it sets makes it faster: WAL for a file, fewer writes at once for a server.
 */
import type { Client } from "@libsql/client";
import { Hono } from "hono";
import { serveScript } from "./support/script.ts";

const TABLES = [
  `CREATE TABLE IF NOT EXISTS naive_state (
     room_id TEXT, scope TEXT, key TEXT, value TEXT, version INTEGER, updated_at TEXT,
     PRIMARY KEY (room_id, scope, key))`,
  `CREATE TABLE IF NOT EXISTS naive_messages (
     id INTEGER PRIMARY KEY, room_id TEXT, from_agent TEXT, to_agent TEXT, kind TEXT, body TEXT, created_at TEXT)`,
];

const PUT = `
  INSERT INTO naive_state VALUES (?, ?, ?, ?, 1, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value, version = version + 1, updated_at = excluded.updated_at
  RETURNING version`;
const GET = `SELECT * FROM naive_state WHERE room_id = ? AND scope = ? AND key = ?`;
const POST = `
  INSERT INTO naive_messages (room_id, from_agent, to_agent, kind, body, created_at)
  VALUES (?, ?, ?, ?, ?, ?) RETURNING id`;

/** Writes under way at once: with the client's usual 20 a libSQL server is slower, and sometimes hangs. */
const concurrency = Number(Deno.env.get("WRITES_AT_ONCE") ?? 2);

const url = Deno.env.get("DATABASE_URL")!;
const { createClient } = url.startsWith("file:")
  ? await import("@libsql/client/sqlite3")
  : await import("@libsql/client/web");
const reads: Client = createClient({ url });
const writes: Client = url.startsWith("file:") ? reads : createClient({ url, concurrency });
if (url.startsWith("file:")) await writes.execute("PRAGMA journal_mode = WAL");
for (const table of TABLES) await writes.execute(table);

const app = new Hono();

app.onError((_, c) => c.text("Internal Server Error", 500)); // the tables count them

app.get("/rooms/:room/state", async (c) => {
  const { scope = "_shared", key } = c.req.query();
  const { rows: [row] } = await reads.execute({ sql: GET, args: [c.req.param("room"), scope, key!] });
  if (row === undefined) return c.json({ error: "key_not_found", message: "There is no such key." }, 404);
  const { room_id, value, version, updated_at } = row;
  return c.json({ room_id, scope, key, value: JSON.parse(value as string), version, updated_at });
});

app.put("/rooms/:room/state", async (c) => {
  const { scope = "_shared", key, value } = await c.req.json();
  const room_id = c.req.param("room");
  const updated_at = new Date().toISOString();
  const args = [room_id, scope, key, JSON.stringify(value), updated_at];
  const { rows: [row] } = await writes.execute({ sql: PUT, args });
  return c.json({ room_id, scope, key, value, version: row!.version, updated_at });
});

app.post("/rooms/:room/messages", async (c) => {
  const { from = null, to = null, kind = "message", body } = await c.req.json();
  const room_id = c.req.param("room");
  const created_at = new Date().toISOString();
  const args = [room_id, from, to, kind, JSON.stringify(body), created_at];
  const { rows: [row] } = await writes.execute({ sql: POST, args });
  const message = { id: row!.id, room_id, from_agent: from, to_agent: to, kind, body, created_at };
  return c.json({ ...message, reply_to: null, claimed_by: null, claimed_at: null }, 201);
});

serveScript(app.fetch);
