import { privateRoom } from "../access/private.ts";
import { NOW } from "../clock.ts";
import { type Database, IS_UNATTENDED } from "../database.ts";
import { DatabaseUnavailable } from "../driver/faults.ts";
import { ROOM_TABLES } from "../driver/schema.ts";
import { type Row, statementOf } from "../driver/statement.ts";
import { pause } from "../pause.ts";
import { THERE } from "../release.ts";
import { SERVICE } from "../viewer.ts";
import { IS_DELETED } from "./room.ts";

type Table = Exclude<keyof typeof ROOM_TABLES, "rooms">;

/** The columns that identify a row of each table. */
const KEYS: Record<Table, string> = {
  agents: "rowid",
  waits: "rowid",
  messages: "rowid",
  senders: "room_id, agent_id, block",
  message_kinds: "room_id, kind",
  replies: "room_id, message_id",
  attempts: "room_id, message_id, fence",
  needs: "room_id, message_id, need_id",
  state: "rowid",
  living: "room_id, scope, key",
  reservations: "rowid",
  departed: "room_id, kind, id",
  tokens: "rowid",
  secured: "room_id, agent_id",
  former_agents: "room_id, agent_id",
  invites: "rowid",
  idempotency: "rowid",
};

/** The last table comes first, since its rows refer to those of earlier tables. */
const TABLES = (Object.keys(ROOM_TABLES) as Array<keyof typeof ROOM_TABLES>)
  .filter((table): table is Table => table !== "rooms").toReversed();

/** Rows that one batch removes: few, since other writes wait for it; fewer where each may be large. */
const rowsOf = (table: Table) => ["messages", "state"].includes(table) ? 25 : 100;
/** Keeps its batches apart from the writes of others (db/batching/queue.ts). */
const WEIGHT = 160;

/** Milliseconds after each batch for which other instances leave a grave to this one. */
const HELD_MS = 10_000;
const KEPT_MS = 30 * 86_400_000;

const HOLD = `
  UPDATE graves SET held_until = ${NOW} + ${HELD_MS} WHERE id = (
      SELECT id FROM graves WHERE ${IS_UNATTENDED} ORDER BY held_until LIMIT 1)
  RETURNING id`;
const GO_ON = `UPDATE graves SET held_until = ${NOW} + ${HELD_MS} WHERE id = :room AND NOT emptied`;

/** Selects the rows that the next batch removes: the same ones, whatever the columns. */
const firstOf = (table: Table, columns: string) => {
  const order = table === "state" ? "ORDER BY scope, key " : "";
  return `SELECT ${columns} FROM ${table} WHERE ${ROOM_TABLES[table]} = :stored ${order}LIMIT ${
    rowsOf(table)
  }`;
};

/** Keeps the highest version of the entries that the same batch removes. */
const KEEP_VERSION = `
  UPDATE graves SET version = MAX(version, COALESCE((SELECT MAX(version) FROM (${
  firstOf("state", "version")
})), 0))
   WHERE id = :room AND ${IS_DELETED}`;

const REMOVE = (table: Table) => `
  DELETE FROM ${table} WHERE ${IS_DELETED} AND (${KEYS[table]}) IN (${firstOf(table, KEYS[table])})
  RETURNING 1 AS gone`;

/** The statements that remove rows of a table. The last one returns them. */
const removalsOf = (table: Table) => [...table === "state" ? [KEEP_VERSION] : [], REMOVE(table)];

const NOTHING_LEFT = TABLES.map((table) =>
  `NOT EXISTS (SELECT 1 FROM ${table} WHERE ${ROOM_TABLES[table]} = :room)`
).join("\n     AND ");

/** True of the stored ids of the room's private scopes, which only the tables of state use. */
const PRIVATE = `id > ${privateRoom("''")} AND id < :room || char(11)`;
const PRIVATE_ROOMS = `SELECT id FROM rooms WHERE ${PRIVATE}`;
const TABLES_OF_PRIVATE: Table[] = ["living", "state"];
const NOTHING_PRIVATE_LEFT = TABLES_OF_PRIVATE.map((table) =>
  `NOT EXISTS (SELECT 1 FROM ${table} WHERE ${table}.room_id = rooms.id)`
).join(" AND ");

/** Counts the rows of each table, up to those of a batch and one more, and tells whether there are private scopes. */
const COUNT_LEFT = `
  SELECT ${
  TABLES.map((table) =>
    `(SELECT COUNT(*) FROM (SELECT 1 FROM ${table} WHERE ${ROOM_TABLES[table]} = :room LIMIT ${
      rowsOf(table) + 1
    })) AS ${table}`
  ).join(", ")
}, EXISTS (${PRIVATE_ROOMS}) AS private`;

/** Deletes the room's own row once nothing else is left, which frees its id. */
const FINISH = [
  `DELETE FROM rooms WHERE ${PRIVATE} AND ${NOTHING_PRIVATE_LEFT} AND ${IS_DELETED}`,
  `DELETE FROM rooms WHERE id = :room AND NOT ${THERE} AND ${NOTHING_LEFT}
     AND NOT EXISTS (${PRIVATE_ROOMS})`,
  `UPDATE graves SET emptied = 1 WHERE id = :room AND NOT EXISTS (SELECT 1 FROM rooms WHERE id = :room)`,
];
const IS_EMPTIED = `SELECT emptied FROM graves WHERE id = :room`;

const FORGET = `
  DELETE FROM graves WHERE id IN (
    SELECT id FROM graves WHERE emptied AND deleted_at <= ${NOW} - ${KEPT_MS} ORDER BY deleted_at LIMIT 8)`;

/**
 * Creates this instance's burial, which removes the rows of deleted rooms: of one room at a time, in batches, each
 * followed by a pause as long. After an outage the next one to look continues.
 */
export function createBurial(database: Database) {
  let working: Promise<void> | undefined;
  let again = false;

  /** `stored`: the `room_id` of the rows, which is the room's or that of one of its private scopes. */
  const commit = (sqls: string[], room: string, stored = room) =>
    database.commit(
      SERVICE,
      sqls.map((sql) => ({ ...statementOf(sql, { room, stored }), weight: WEIGHT })),
    );

  async function remove(room: string, table: Table, stored = room) {
    const max = rowsOf(table);
    for (let gone = max; gone >= max;) {
      const began = database.elapsed();
      const removals = removalsOf(table);
      const rows = await commit([...removals, GO_ON], room, stored);
      gone = rows[removals.length - 1]!.length;
      if (gone > 0) await pause(database.elapsed() - began);
    }
  }

  /** Removes what is left with the last batch, and returns whether the room is gone. */
  async function finish(room: string, removals: string[] = []): Promise<boolean> {
    const rows = await commit([...removals, ...FINISH, IS_EMPTIED, FORGET], room);
    return Boolean(rows[removals.length + FINISH.length]![0]?.emptied ?? true);
  }

  async function empty(room: string) {
    for (let emptied = false; !emptied;) {
      const began = database.elapsed();
      const [[left]] = await database.read(SERVICE, [{ sql: COUNT_LEFT, args: { room }, single: true }]) as [
        [Row],
      ];
      const tables = TABLES.filter((table) => Number(left[table]) > 0);
      if (fitIntoOne(tables, left)) {
        emptied = await finish(room, tables.flatMap(removalsOf));
        await pause(database.elapsed() - began);
        continue;
      }
      const privates = left.private
        ? (await database.read(SERVICE, [{ sql: PRIVATE_ROOMS, args: { room } }]))[0]!
        : [];
      for (const { id } of privates) {
        for (const table of TABLES_OF_PRIVATE) await remove(room, table, id as string);
      }
      for (const table of tables) await remove(room, table);
      emptied = await finish(room);
    }
  }

  async function work() {
    try {
      while (again) {
        again = false;
        const [held] = await database.commit(SERVICE, [{ sql: HOLD, args: {}, weight: WEIGHT }]);
        if (held!.length === 0) continue;
        await empty(held![0]!.id as string);
        again = true;
      }
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) console.error(error);
    }
  }

  return {
    /** Looks for deleted rooms with rows left. Resolves when there are none on which no other instance works. */
    begin(): Promise<void> {
      again = true;
      return working ??= work().finally(() => working = undefined);
    },
  };
}

/** Whether so many rows of tables, of a room without private scopes, are no more than one batch removes. */
function fitIntoOne(tables: Table[], left: Row): boolean {
  return !left.private && tables.reduce((sum, table) => sum + Number(left[table]) / rowsOf(table), 0) <= 1;
}
