import type { Homes } from "../access/private.ts";
import { applyEdit, typeOf } from "./edit.ts";
import type { Json } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { DUE } from "../write/due.ts";
import { type Entry, toEntry, VIEW_SCOPE } from "./entry.ts";
import { add, idOf, isVersion, type StateWrite } from "./preconditions.ts";
import type { Row, Statement } from "../driver/statement.ts";

/** The maximum of keys, of a room and of a private scope, of views, and of the bytes of a room's views and of a value. */
export interface StateLimits {
  keys: number;
  privateKeys: number;
  views: number;
  viewBytes: number;
  valueBytes: number;
}

export interface Put {
  writes: StateWrite[];
  limits: StateLimits;
  /** A refusal names the failing write's `index`. */
  batch: boolean;
  /** The writer: becomes `updated_by` and, where it is registered, gets a heartbeat. */
  agent?: string;
}

/** Selects the bytes of a room's views as UTF-8, which SQL and JavaScript count alike. */
export const VIEW_BYTES =
  `SELECT COALESCE(SUM(octet_length(expr)), 0) FROM state WHERE room_id = :room AND scope = '${VIEW_SCOPE}' AND NOT deleted`;

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

const SCOPE = "(written.value ->> 0)";

/**
 * Selects each entry to be written, tombstones too (null columns where there is none), with the room's counts and
 * whether the read set of a gate is unchanged. `private_count`: the keys of its scope if that is private.
 */
export const selectStored = (homes?: Homes, unchanged = "TRUE", where = "TRUE") => `
  SELECT ${unchanged} AS unchanged, ${REVISION} AS room_revision, ${DUE}, key_count, view_count,
         CASE WHEN ${SCOPE} = '${VIEW_SCOPE}' THEN (${VIEW_BYTES}) END AS view_bytes,
         ${homes ? `${privateCount(homes.of(SCOPE))}, ` : ""}entry.*
    FROM rooms
    CROSS JOIN json_each(:keys_written) AS written
    LEFT JOIN state AS entry
      ON entry.room_id = ${
  homes?.of(SCOPE) ?? ":room"
} AND entry.scope = ${SCOPE} AND entry.key = written.value ->> 1
   WHERE rooms.id = :room AND ${where}`;

const privateCount = (home: string) => `
  CASE WHEN ${home} <> :room
    THEN (SELECT COUNT(*) FROM state AS own WHERE own.room_id = ${home} AND NOT own.deleted) END AS private_count,
  ${SCOPE} AS written_scope`;

export function storedArgs(
  room: string,
  keys: Array<{ scope: string; key: string }>,
  homes?: Homes,
): Statement["args"] {
  return { ...homes?.args, room, keys_written: JSON.stringify(keys.map(({ scope, key }) => [scope, key])) };
}

/** A key as a write within a batch finds it. */
interface Seen {
  live: boolean;
  version: number;
  value: Json;
}

/** What a write finds and leaves. One that is not `changed` is none. */
export interface Applied {
  found: Seen;
  value: Json;
  changed: boolean;
}

/**
 * Applies writes in order to the rows of `selectStored`, each seeing those before it. Returns what each write finds and
 * leaves, or the refusal of the first one that fails.
 */
export function explainRefusal(put: Put, rows: Row[]): Refusal | Applied[] {
  const stored = new Map<string, Row>();
  for (const row of rows) if (row.key !== null) stored.set(idOf(row as unknown as StateWrite), row);
  const seen = new Map<string, Seen>();
  for (const [id, row] of stored) {
    seen.set(id, {
      live: !row.deleted,
      version: Number(row.version),
      value: JSON.parse(row.value as string),
    });
  }
  const revision = Number(rows[0]!.room_revision);
  const counts = countsOf(rows);
  const results: Applied[] = [];
  for (const [index, write] of put.writes.entries()) {
    const row = stored.get(idOf(write));
    const current = row && !row.deleted ? toEntry(row) : null;
    const found = seen.get(idOf(write)) ?? { live: false, version: 0, value: null };
    const written = found.version > Number(row?.version ?? 0);
    const entry = { ...(put.batch && { index }), scope: write.scope, key: write.key };
    const refused = { ...entry, current, ...(written && { after: found.version }) };
    if (!isVersion(write.ifVersion, found.live ? found.version : 0)) {
      return new Refusal("version_conflict", { ...refused, expected: write.ifVersion! }, revision);
    }
    const result = apply(write, found.live ? found.value : undefined, put.limits, refused, revision);
    if (result instanceof Refusal) return result;
    const { value, changed } = result;
    const full = found.live ? undefined : countNew(write, counts, put.limits);
    if (full) return new Refusal("limit_reached", { ...entry, ...full }, revision);
    seen.set(idOf(write), { live: true, version: found.version + Number(changed), value });
    results.push({ found, value, changed });
  }
  return refusedForSize(put, rows, stored) ?? results;
}

/** The facts that refusals of a write share. */
interface Refused {
  index?: number;
  scope: string;
  key: string;
  current: Entry | null;
  after?: number;
}

/** Applies a write to the value that it finds, undefined where there is none. */
function apply(
  { value = null, delta, edit, computed }: StateWrite,
  found: Json | undefined,
  { valueBytes: max }: StateLimits,
  refused: Refused,
  revision: number,
): Refusal | Omit<Applied, "found"> {
  if (delta !== undefined) {
    const sum = add(found === undefined ? 0 : found, delta);
    return sum === undefined
      ? new Refusal("not_a_number", { ...refused, delta }, revision)
      : { value: sum, changed: true };
  }
  if (edit === undefined) return { value, changed: computed !== "kept" };
  const edited = applyEdit(found, edit);
  if ("path" in edited) {
    const { path } = edited;
    return new Refusal("not_editable", { ...refused, path, edit: edit.kind, found: typeOf(found) }, revision);
  }
  const bytes = bytesOf(JSON.stringify(edited.value));
  return bytes <= max ? edited : new Refusal("too_large", { ...refused, bytes, max });
}

/** Refuses a batch for the bytes of views that it leaves: by the write after which they never fit again. */
function refusedForSize(put: Put, rows: Row[], stored: Map<string, Row>): Refusal | undefined {
  const before = Number(rows.find(({ view_bytes }) => view_bytes !== null)?.view_bytes ?? 0);
  const max = Math.max(before, put.limits.viewBytes);
  const sizes = new Map<string, number>();
  let total = before;
  let fitting = -1;
  for (const [index, { scope, key, expr }] of put.writes.entries()) {
    const id = idOf({ scope, key });
    if (expr !== undefined) {
      total += bytesOf(expr) - (sizes.get(id) ?? bytesOf((stored.get(id)?.expr ?? "") as string));
      sizes.set(id, bytesOf(expr));
    }
    if (total <= max) fitting = index;
  }
  if (total <= max) return undefined;
  const index = put.batch ? fitting + 1 : undefined;
  const facts = { of: "bytes" as const, max: put.limits.viewBytes, bytes: total, index };
  return new Refusal("limit_reached", facts, Number(rows[0]!.room_revision));
}

/** The keys and views of a room, and the keys of the private scopes among those that are written. */
interface Counts {
  keys: number;
  views: number;
  private: Map<string, number>;
}

function countsOf(rows: Row[]): Counts {
  const own = rows.flatMap(({ written_scope, private_count = null }): Array<[string, number]> =>
    private_count === null ? [] : [[written_scope as string, Number(private_count)]]
  );
  const [{ key_count, view_count }] = rows as [Row];
  return { keys: Number(key_count), views: Number(view_count), private: new Map(own) };
}

/** Counts a new key; returns the limit that it exceeds. */
function countNew(
  write: StateWrite,
  counts: Counts,
  limits: StateLimits,
): { of: "keys" | "views" | "private keys"; max: number } | undefined {
  const own = counts.private.get(write.scope);
  if (own !== undefined) {
    counts.private.set(write.scope, own + 1);
    return own < limits.privateKeys ? undefined : { of: "private keys", max: limits.privateKeys };
  }
  if (++counts.keys > limits.keys) return { of: "keys", max: limits.keys };
  if (write.scope === VIEW_SCOPE && ++counts.views > limits.views) return { of: "views", max: limits.views };
}
