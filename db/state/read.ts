import { createConditions } from "../consistent_read/conditions.ts";
import type { Database } from "../database.ts";
import { type Guard, guardOf } from "../write/read_set.ts";
import { stored } from "../json.ts";
import type { Listing } from "../consistent_read/listing.ts";
import { type Entry, toEntry, toListed, type Tombstone, VIEW_SCOPE } from "./entry.ts";
import { LIVE, LIVING } from "./living.ts";
import { keyNotFound, roomNotFound, served } from "../refusal.ts";
import { REVISION, SERVED } from "../release.ts";
import { revisionOf, ROOM_REVISION } from "../rooms.ts";
import { versionConflict } from "./refusals.ts";
import { columnsOf, createCoalescedRead } from "../batching/coalesce.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "../yield.ts";
import { ADMITTED, commit, FROM_ADMITTED } from "../write/write.ts";
import { readConsistent } from "../consistent_read/read.ts";

export interface StateFilter {
  scope?: string;
  key?: string;
  prefix?: string;
  /** Only what changed after this revision, deletions included. */
  since?: number;
}

const GET = createCoalescedRead(
  {
    room_revision: REVISION,
    ...columnsOf("entry", ["value", "expr", "version", "updated_at", "updated_by"]),
  },
  `FROM json_each(:asked) AS asked
    CROSS JOIN rooms ON rooms.id = asked.value ->> 0
    LEFT JOIN state AS entry
      ON entry.room_id = rooms.id AND entry.scope = asked.value ->> 1 AND entry.key = asked.value ->> 2
     AND NOT entry.deleted`,
);

const COLUMNS = [
  "room_id",
  "scope",
  "key",
  "value",
  "expr",
  "version",
  "updated_at",
  "updated_by",
  "deleted",
  "revision",
];

const GET_LIVE =
  `SELECT * FROM state WHERE room_id = :room AND scope = :scope AND key = :key AND NOT deleted`;

// The byte FF sorts after every UTF-8 text.
const AFTER_PREFIX = `:prefix || CAST(x'FF' AS TEXT)`;

const ADMIT_DELETE = `
  UPDATE rooms SET
    revision = revision + 1,
    state_revision = revision + 1,
    views_revision = CASE WHEN :view THEN revision + 1 ELSE views_revision END,
    key_count = key_count - 1,
    view_count = view_count - :view,
    admitted = :nonce
   WHERE id = :room AND ${SERVED}
     AND EXISTS (
       SELECT 1 FROM state
        WHERE room_id = :room AND scope = :scope AND key = :key AND NOT deleted
          AND (:if_version IS NULL OR version = :if_version))`;

const DELETE = `
  UPDATE state SET
    value = 'null', expr = NULL, deleted = 1, version = version + 1, updated_at = :now, updated_by = :agent,
    revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND scope = :scope AND key = :key AND ${ADMITTED}`;

/** Errors: `room_not_found`, `key_not_found`. */
export async function getEntry(
  database: Database,
  room: string,
  scope: string,
  key: string,
): Promise<{ entry: Entry; revision: number }> {
  const row = await database.readCoalesced(GET, [room, scope, key]);
  if (row === undefined) throw roomNotFound();
  const revision = served(row.room_revision);
  if (row.version === null) throw keyNotFound(scope, key, revision);
  Object.assign(row, { room_id: room, scope, key });
  if (isBusyFor(row.value)) await yieldToOthers();
  return { entry: toEntry(row), revision };
}

/** Entries by scope and key in code point order; with `since` also tombstones. Errors: `room_not_found`. */
export async function listEntries(
  database: Database,
  room: string,
  filter: StateFilter,
): Promise<{ entries: Array<Entry | Tombstone>; revision: number }> {
  const [rooms, rows] = await readConsistent(database, [
    { sql: ROOM_REVISION, args: { room } },
    selectEntries(room, filter),
  ]);
  const revision = revisionOf(rooms!);
  return { entries: await mapYielding(rows!, (row) => toListed(row, stored)), revision };
}

/** The query for a filter; its rows are for `toListed`. */
export function selectEntries(room: string, { scope, key, prefix, since }: StateFilter): Listing {
  const { args, where, sql } = createConditions("room_id = :room", { room });
  where("scope = :scope", "scope", scope);
  where("key = :key", "key", key);
  where(`key >= :prefix AND key < ${AFTER_PREFIX}`, "prefix", prefix);
  where("revision > :since", "since", since);
  const order = ["scope", "key"];
  const found = since === undefined ? { live: LIVE, parts: LIVING } : { readBy: ["revision", ...order] };
  return { table: "state", columns: COLUMNS, where: sql(), args, order, ...found };
}

/**
 * Deletes a key; false where there is none. Undefined where the guard does not hold any more.
 * Errors: `room_not_found`, `version_conflict`.
 */
export async function deleteEntry(
  database: Database,
  room: string,
  { scope, key, ifVersion, agent, guard }: {
    scope: string;
    key: string;
    ifVersion?: number;
    agent?: string;
    guard?: Guard;
  },
): Promise<{ deleted: boolean; revision: number } | undefined> {
  const [nonce, now] = [database.unique(), await database.time()];
  const place = { room, scope, key };
  const { unmoved, args: seen } = guardOf(guard);
  const condition = { if_version: ifVersion ?? null, view: scope === VIEW_SCOPE };
  const { revision, reads: [rooms, rows] } = await commit(database, {
    room,
    part: "state",
    admission: {
      sql: `${ADMIT_DELETE} AND ${unmoved} RETURNING revision`,
      args: { ...place, nonce, ...condition, ...seen },
    },
    effects: [{ sql: DELETE, args: { ...place, nonce, now: now.toISOString(), agent: agent ?? null } }],
    reads: [
      {
        sql: `SELECT ${REVISION} AS revision, ${unmoved} AS unmoved FROM rooms WHERE id = :room`,
        args: { room, ...seen },
        kept: { columns: ["revision", "unmoved"] },
      },
      { sql: GET_LIVE, args: place },
    ],
    sign: { agent, now },
    granted: {
      sql: `NOT EXISTS (${GET_LIVE}) AND NOT COALESCE(:if_version, 0)
        AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${unmoved})`,
      args: { ...place, ...condition, ...seen },
    },
  });
  if (revision !== undefined) return { deleted: true, revision };
  const reached = revisionOf(rooms!);
  if (isBusyFor(rows![0]?.value)) await yieldToOthers();
  const current = rows!.length === 0 ? null : toEntry(rows![0]!);
  if (!rooms![0]!.unmoved) return undefined;
  if (current === null && !ifVersion) return { deleted: false, revision: reached };
  throw versionConflict(place, ifVersion!, current, reached);
}
