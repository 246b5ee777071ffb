import type { Client } from "@libsql/client";

/** Rows of one statement: more take a server too long. */
const CHUNK = 10_000;

const NUMBERS =
  `WITH RECURSIVE numbers (n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)`;

const MESSAGES = `${NUMBERS}
  INSERT INTO messages (room_id, id, from_agent, kind, body, created_at, revision)
  SELECT :room, n, 'agent-' || (n % 10), 'message', '{"number":' || n || '}', '2026-01-01T00:00:00.000Z', n
    FROM numbers`;

const STATE = `${NUMBERS}
  INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
  SELECT :room, '_shared', 'k' || n, n, 1, :messages + n, '2026-01-01T00:00:00.000Z', 0 FROM numbers`;

const ROOM = `
  UPDATE rooms SET
    revision = :messages + :keys, state_revision = :messages + :keys, messages_revision = :messages,
    key_count = :keys, message_count = :messages, unclaimed_count = :messages
   WHERE id = :room`;

/** A client of the service's database that writes past the service, since 100,000 messages take long through it. */
export async function openFiller(url: string): Promise<Client> {
  if (!url.startsWith("file:")) return (await import("@libsql/client/web")).createClient({ url });
  return (await import("@libsql/client/sqlite3")).createClient({ url });
}

/** Fills an empty room with keys `k1`, `k2`, ... and messages 1, 2, ... of which nobody has claimed any. */
export async function fillRoom(
  client: Client,
  room: string,
  { keys, messages }: { keys: number; messages: number },
): Promise<void> {
  for (const [first, last] of chunks(messages)) {
    await client.batch([{ sql: MESSAGES, args: { room, first, last } }], "write");
  }
  for (const [first, last] of chunks(keys)) {
    await client.batch([{ sql: STATE, args: { room, first, last, messages: BigInt(messages) } }], "write");
  }
  await client.batch(
    [{ sql: ROOM, args: { room, keys: BigInt(keys), messages: BigInt(messages) } }],
    "write",
  );
}

/** From 1 to `count` in parts. */
function* chunks(count: number): Generator<[first: bigint, last: bigint]> {
  for (let first = 1; first <= count; first += CHUNK) {
    yield [BigInt(first), BigInt(Math.min(first + CHUNK - 1, count))];
  }
}
