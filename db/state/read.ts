import {
  foundSeeing,
  homeIn,
  isOfAgent,
  isSeeing,
  LAST,
  seesAny,
  selectPrivate,
  selectSeen,
} from "../access/private.ts";
import { createConditions } from "../consistent_read/conditions.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { stored } from "../json.ts";
import { compareBy, type Listing } from "../consistent_read/listing.ts";
import { type Entry, entryAt, toListed, type Tombstone } from "./entry.ts";
import { sourcesOf } from "./sources.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { currentWith, revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { columnsOf, createCoalescedRead } from "../batching/coalesce.ts";
import { EVERYBODY, isOperator, type Viewer } from "../viewer.ts";
import { isBusy, isBusyFor, mergeYielding, yieldToOthers } from "../yield.ts";
import { DUE_NOW } from "../write/due.ts";
import { readCoalescedCurrent } from "../write/current.ts";
import { readConsistent } from "../consistent_read/read.ts";

/** Which entries a list has; all conditions must hold. */
export interface StateFilter {
  scope?: string;
  key?: string;
  /** What the key begins with. */
  prefix?: string;
  /** The revision after which it changed. The list then has tombstones too. */
  since?: number;
}

const WRITTEN = ["value", "expr", "eyes", "version", "updated_at", "updated_by", "verified", "expires_at"];
const COLUMNS = ["room_id", "scope", "key", ...WRITTEN, "deleted", "revision"];

const getFrom = (home: string) =>
  createCoalescedRead(
    { room_revision: REVISION, due: DUE_NOW, ...columnsOf("entry", WRITTEN) },
    `FROM json_each(:asked) AS asked
    CROSS JOIN rooms ON rooms.id = asked.value ->> 0
    LEFT JOIN state AS entry
      ON entry.room_id = ${home} AND entry.scope = asked.value ->> 1 AND entry.key = asked.value ->> 2
     AND NOT entry.deleted`,
  );

const [ROOM, SCOPE, HASH] = ["(asked.value ->> 0)", "(asked.value ->> 1)", "(asked.value ->> 3)"];
const GET = getFrom("rooms.id");
/** Gets an entry for whoever shows a token. */
const GET_SEEN = getFrom(homeIn(selectSeen(ROOM, HASH), SCOPE, ROOM));
/** Gets an entry for the operator, whose token belongs to no room. */
const GET_ANY = getFrom(homeIn(selectPrivate(ROOM), SCOPE, ROOM));

const AFTER_PREFIX = `:prefix || ${LAST}`;

/** Gets an entry. Errors: `room_not_found`, `unauthenticated`, `key_not_found`. */
export async function getEntry(
  database: Database,
  viewer: Viewer,
  room: string,
  scope: string,
  key: string,
): Promise<{ entry: Entry; revision: number }> {
  const { kind, hash } = getAs(viewer, scope);
  const row = await readCoalescedCurrent(database, viewer, kind, room, [room, scope, key, ...hash]);
  if (row === undefined) throw new Refusal("room_not_found", {});
  const revision = served(row.room_revision);
  if (row.version === null) throw new Refusal("key_not_found", { scope, key }, revision);
  if (isBusyFor(row.value)) await yieldToOthers();
  return { entry: entryAt(room, scope, key, row), revision };
}

/** Chooses the query by what the viewer may see of the scope, with its further argument. */
function getAs(viewer: Viewer, scope: string) {
  if (viewer.token === undefined || !isOfAgent(scope)) return { kind: GET, hash: [] };
  return isOperator(viewer) ? { kind: GET_ANY, hash: [] } : { kind: GET_SEEN, hash: [viewer.token.hash] };
}

/** Lists the entries of a filter by scope and key, in code point order. Errors: `room_not_found`, `unauthenticated`. */
export async function listEntries(
  database: Database,
  viewer: Viewer,
  room: string,
  filter: StateFilter,
): Promise<{ entries: Array<Entry | Tombstone>; revision: number }> {
  const mayBePrivate = filter.scope === undefined || isOfAgent(filter.scope);
  const sees = mayBePrivate ? seesAny(viewer) : undefined;
  const [rooms, ...found] = await readConsistent(database, viewer, [
    sees
      ? { sql: currentWith(`${sees.sql} AS sees`), args: { room, ...sees.args } }
      : { sql: ROOM_CURRENT, args: { room } },
    ...selectEntries(isSeeing(viewer) ? viewer : EVERYBODY, room, filter),
  ]);
  if (rooms![0]?.sees) {
    foundSeeing(viewer);
    return await listEntries(database, viewer, room, filter);
  }
  const revision = revisionOf(rooms!);
  return { entries: await toEntries(found), revision };
}

const ORDER = ["scope", "key"] as const;

/** Makes the entries of the rows of `selectEntries`, by scope and key. */
export async function toEntries([open = [], hidden = []]: Row[][]): Promise<Array<Entry | Tombstone>> {
  const rows = hidden.length === 0 ? open : await mergeYielding(open, hidden, compareBy({ order: ORDER }));
  // What a scope had when it became private may have been read before that and after it.
  const twice = (n: number) => ORDER.every((column) => rows[n]![column] === rows[n + 1]?.[column]);
  const entries: Array<Entry | Tombstone> = [];
  for (let n = 0; n < rows.length; n++) {
    if (isBusy()) await yieldToOthers();
    if (hidden.length === 0 || !twice(n)) entries.push(toListed(rows[n]!, stored));
  }
  return entries;
}

/** Selects the entries of a filter that a viewer sees, as rows for `toEntries`: open ones, and those of private scopes. */
export function selectEntries(
  viewer: Viewer,
  room: string,
  { scope, key, prefix, since }: StateFilter,
): Listing[] {
  const { open, hidden, args: seen } = sourcesOf(viewer, scope);
  return [open, ...hidden ? [hidden] : []].map((source) => {
    // What is open and living does not depend on who looks.
    const asks = source === hidden || since !== undefined;
    const { args, where, sql } = createConditions(source.always, { room, ...asks && seen });
    where("scope = :scope", "scope", scope);
    where("key = :key", "key", key);
    where(`key >= :prefix AND key < ${AFTER_PREFIX}`, "prefix", prefix);
    const list = { table: "state", columns: COLUMNS, where: sql() } as const;
    if (since === undefined) return { ...list, args, ...source.living };
    return { ...list, args: { ...args, since }, ...source.changed, isSince: true };
  });
}
