import assert from "node:assert/strict";
import type { Connection } from "../../db/driver/connection.ts";
import { connect } from "../../db/driver/open.ts";
import type { Row } from "../../db/driver/statement.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";
import { WITHOUT_TABLES } from "../support/databases.ts";
import { type Recording, recordings, statementsOf, type Step } from "./recording.ts";

const RELEASES = recordings();
const DAYS = 24 * 60 * 60 * 1_000;

/** Applies the migrations from one number on, up to another. */
async function apply(connection: Connection, from: number, to: number): Promise<void> {
  for (const statements of MIGRATIONS.slice(from, to)) {
    await connection.send(statements.map((sql) => ({ sql, args: {} })), "write");
  }
}

async function replay(
  connection: Connection,
  release: Recording,
  steps: Step[],
  compared: boolean,
): Promise<void> {
  for (const step of steps) {
    const rows = await connection.send(statementsOf(release, step), step.mode);
    if (compared) assert.deepEqual(seenBefore(rows, step.rows), step.rows, JSON.stringify(step));
  }
}

/** The rows without columns that the release did not know. */
function seenBefore(rows: Row[][], known: Step["rows"]): Row[][] {
  const results: Row[][] = JSON.parse(JSON.stringify(rows));
  return results.map((result, n) =>
    result.map((row, m) => {
      const names = Object.keys(known[n]?.[m] ?? row);
      return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)));
    })
  );
}

/** Finds rooms of which something is not as it must be, though older releases do not know of it: triggers keep it. */
const NOT_KEPT = {
  tombstones: `SELECT id FROM rooms
    WHERE tombstone_count <> MIN(1000, (SELECT COUNT(*) FROM state WHERE room_id = rooms.id AND deleted))`,
  senders: `SELECT DISTINCT room_id, from_agent, id >> 8 FROM messages WHERE from_agent IS NOT NULL
    EXCEPT SELECT room_id, agent_id, block FROM senders`,
  kinds:
    `SELECT room_id, kind, COUNT(*), MAX(id), SUM(claimed_by IS NULL), SUM(claimed_by IS NOT NULL) FROM messages
     GROUP BY 1, 2 EXCEPT SELECT room_id, kind, count, last, open, claimed FROM message_kinds`,
  attempts: `SELECT room_id, id, revision, claimed_by FROM messages WHERE claimed_by IS NOT NULL
    EXCEPT SELECT room_id, message_id, fence, agent_id FROM attempts`,
  replies: `SELECT room_id, reply_to, COUNT(*) FROM messages WHERE reply_to IS NOT NULL GROUP BY 1, 2
    EXCEPT SELECT room_id, message_id, count FROM replies`,
};

async function assertKept(connection: Connection): Promise<void> {
  for (const [what, sql] of Object.entries(NOT_KEPT)) {
    assert.deepEqual(await connection.send([{ sql, args: {} }], "read"), [[]], what);
  }
}

/** A database that a release has filled is migrated while an instance of it runs, which then goes on. */
async function upgrade(url: string, release: Recording, migrations: number): Promise<void> {
  const connection = await connect(url);
  try {
    await apply(connection, 0, release.migrations);
    await replay(connection, release, release.before, false);
    await apply(connection, release.migrations, migrations);
    await replay(connection, release, release.after, true);
    if (migrations === MIGRATIONS.length) await assertKept(connection);
  } finally {
    connection.close();
  }
}

for (const release of RELEASES) {
  for (let migrations = release.migrations; migrations <= MIGRATIONS.length; migrations++) {
    Deno.test(`the release of ${release.date} is answered as before after migration ${migrations}`, () =>
      upgrade(":memory:", release, migrations));
  }
  for (const [kind, open] of Object.entries(WITHOUT_TABLES)) {
    Deno.test(`${kind}: the release of ${release.date} is answered as before after all migrations`, async () => {
      const place = await open();
      try {
        await upgrade(place.url, release, MIGRATIONS.length);
      } finally {
        await place.stop();
      }
    });
  }
}

/** The releases that may run still: the newest, and those that another one followed less than 30 days ago. */
function running(now: number): Recording[] {
  return RELEASES.filter((_, n) => {
    const next = RELEASES[n + 1];
    return next === undefined || now - Date.parse(next.date) < 30 * DAYS;
  });
}

const DROPS = [
  /\bDROP (?:TABLE|INDEX|VIEW)(?: IF EXISTS)? "?(\w+)/gi,
  /\bALTER TABLE (?:\w+) DROP (?:COLUMN )?"?(\w+)/gi,
  /\bALTER TABLE "?(\w+)"? RENAME TO/gi,
  /\bALTER TABLE \w+ RENAME (?:COLUMN )?"?(\w+)"? TO/gi,
];
const TRIGGER = /\bDROP TRIGGER(?: IF EXISTS)? "?(\w+)/gi;

/** What migrations take from a release that may run still: names that it says, triggers that are not made anew. */
function takenFrom({ sql, migrations: known }: Recording, later: string[][]): string[] {
  const all = later.flat();
  const found = (pattern: RegExp) =>
    all.flatMap((statement) => [...statement.matchAll(pattern)].map((match) => match[1]!));
  const said = sql.join("\n");
  const made = MIGRATIONS.slice(0, known).flat().join("\n");
  const makes = (sql: string, name: string) => sql.includes(`CREATE TRIGGER ${name} `);
  const drops = (sql: string, name: string) => [...sql.matchAll(TRIGGER)].some((match) => match[1] === name);
  /** Whether a trigger that was dropped is there in the end. */
  const isAnew = (name: string) =>
    all.findLastIndex((sql) => makes(sql, name)) > all.findLastIndex((sql) => drops(sql, name));
  return [
    ...DROPS.flatMap(found).filter((name) => new RegExp(`\\b${name}\\b`).test(said)),
    ...new Set(found(TRIGGER).filter((name) => makes(made, name) && !isAnew(name))),
  ];
}

Deno.test("a migration drops only what no release of the last 30 days names", () => {
  const releases = running(Date.now());
  assert.ok(releases.length > 0);
  for (const release of releases) {
    assert.deepEqual(
      takenFrom(release, MIGRATIONS.slice(release.migrations)),
      [],
      `the release of ${release.date}`,
    );
  }
});

Deno.test("what a migration would take from a release that runs is found", () => {
  const release = RELEASES.at(-1)!;
  for (
    const [statement, name] of [
      ["DROP INDEX messages_claimed", "messages_claimed"],
      ["DROP TABLE IF EXISTS senders", "senders"],
      ["DROP TRIGGER messages_sender", "messages_sender"],
      ["ALTER TABLE rooms DROP COLUMN admitted", "admitted"],
      ["ALTER TABLE rooms RENAME COLUMN key_count TO keys", "key_count"],
      ["ALTER TABLE waits RENAME TO marks", "waits"],
    ]
  ) assert.deepEqual(takenFrom(release, [["SELECT 1"], [statement!]]), [name]);
  assert.deepEqual(takenFrom(release, [["DROP INDEX nobody_names_it", "DROP TRIGGER nor_this"]]), []);
  const anew = [
    "DROP TRIGGER messages_sender",
    "CREATE TRIGGER messages_sender AFTER INSERT ON messages BEGIN",
  ];
  assert.deepEqual(takenFrom(release, [anew]), []);
  assert.deepEqual(takenFrom(release, [anew, anew.slice(0, 1)]), ["messages_sender"]);
});
