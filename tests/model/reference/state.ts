import { timeOf } from "./clock.ts";
import { type Edit, edit } from "./edits.ts";
import { type Condition, expr, judge, resolve } from "./conditions.ts";
import {
  answer,
  type Entry,
  type Expected,
  present,
  recordHeartbeat,
  refusal,
  type Room,
  type Value,
  type View,
} from "./room.ts";

export interface Write {
  scope: string;
  key: string;
  value?: Value;
  increment?: number;
  edit?: Edit;
  view?: View;
  ttl?: number;
  if_version?: number;
}

/** What a write demands of the room beside its own version. */
export interface Demands {
  gate?: Condition;
  agent?: string;
  /** The version of an ETag, 0 for "there must be none". */
  etag?: number;
}

export function put(room: Room, write: Write, demands: Demands): Expected {
  const written = apply(room, [write], demands, false);
  if (!Array.isArray(written)) return written;
  return { ...answer(room, shown(room, written[0]!, true)), etag: written[0]!.version };
}

export function putAll(room: Room, writes: Write[], demands: Demands): Expected {
  const written = apply(room, writes, demands, true);
  if (!Array.isArray(written)) return written;
  const state = written.map((entry) => shown(room, entry, true));
  return answer(room, { ok: true, count: writes.length, state });
}

/** The entries as each write left them, or the refusal of all. */
function apply(room: Room, writes: Write[], demands: Demands, batch: boolean): Entry[] | Expected {
  const refused = refusedByGate(room, demands);
  if (refused) return refused;
  const after = new Map(room.entries);
  const written: Entry[] = [];
  for (const [index, write] of writes.entries()) {
    const { scope, key } = write;
    const now = present(room, scope, key, after);
    const refuse = (status: number, error: string, more: object = {}) =>
      // Nothing was written, so what a batch's own writes made of the entry is not what is there.
      refusal(room, status, error, { current: current(room, scope, key), ...more, ...(batch && { index }) });
    const conflict = conflictOf(now, demands.etag, write.if_version);
    if (conflict) return refuse(...conflict);
    if (write.increment !== undefined && now && typeof now.value !== "number") {
      return refuse(409, "not_a_number");
    }
    const edited = write.edit && edit(now?.value, write.edit);
    if (edited && "path" in edited) return refuse(409, "not_editable", edited);
    if (edited && !edited.written) {
      written.push(now!);
      continue;
    }
    const entry: Entry = {
      scope,
      key,
      value: edited
        ? edited.value
        : write.increment === undefined
        ? write.value ?? null
        : (now ? now.value as number : 0) + write.increment,
      view: write.view,
      version: (after.get(`${scope}/${key}`)?.version ?? 0) + 1,
      changed: room.revision + 1,
      deleted: false,
      updated_at: timeOf(room.clock),
      updated_by: demands.agent ?? null,
      until: write.ttl === undefined ? null : room.clock.now + write.ttl * 1_000,
    };
    after.set(`${scope}/${key}`, entry);
    written.push(entry);
  }
  recordHeartbeat(room, demands.agent);
  if (written.every((entry) => room.entries.get(`${entry.scope}/${entry.key}`) === entry)) return written;
  room.entries = after;
  room.revision++;
  return written;
}

function refusedByGate(room: Room, { gate, agent }: Demands): Expected | undefined {
  const judged = gate && judge(room, gate, agent ?? null);
  if (judged === undefined || "value" in judged && judged.value) return undefined;
  const why = "error" in judged ? { evaluated: null, cause: { code: judged.error } } : { evaluated: false };
  return refusal(room, 409, "precondition_failed", why);
}

function conflictOf(now?: Entry, etag?: number, ifVersion?: number): [number, string] | undefined {
  const version = now?.version ?? 0;
  if (etag !== undefined && etag !== version) return [412, "etag_mismatch"];
  if (ifVersion !== undefined && ifVersion !== version) return [409, "version_conflict"];
}

function current(room: Room, scope: string, key: string) {
  const stored = present(room, scope, key);
  return stored ? shown(room, stored) : null;
}

export function remove(
  room: Room,
  { scope, key, if_version }: { scope: string; key: string; if_version?: number },
  demands: Demands,
): Expected {
  const refused = refusedByGate(room, demands);
  if (refused) return refused;
  const now = present(room, scope, key);
  const conflict = conflictOf(now, demands.etag, if_version);
  if (conflict) return refusal(room, ...conflict, { current: current(room, scope, key) });
  recordHeartbeat(room, demands.agent);
  if (!now) return answer(room, { deleted: false });
  room.revision++;
  room.entries.set(`${scope}/${key}`, {
    ...now,
    version: now.version + 1,
    changed: room.revision,
    deleted: true,
    updated_at: timeOf(room.clock),
    until: null,
  });
  return answer(room, { deleted: true });
}

/** Entries whose time is over are deleted, all in one revision, each at its own time. */
export function endEntries(room: Room): void {
  const over = [...room.entries.values()].filter(({ until }) => until !== null && until <= room.clock.now);
  if (over.length === 0) return;
  room.revision++;
  for (const { until, ...entry } of over) {
    room.entries.set(`${entry.scope}/${entry.key}`, {
      ...entry,
      ...{ version: entry.version + 1, changed: room.revision, deleted: true, until: null },
      updated_at: timeOf(room.clock, until!),
    });
  }
}

/** An entry as lists have it; `resolved`: with the present value of a view. */
export function shown(room: Room, entry: Entry, resolved = false): Record<string, unknown> {
  const { scope, key, version, value, view, updated_at, updated_by, until } = entry;
  if (entry.deleted) return { scope, key, version, deleted: true, updated_at };
  const expires_at = until && timeOf(room.clock, until);
  const plain = {
    room_id: room.id,
    scope,
    key,
    version,
    value,
    updated_at,
    updated_by,
    verified_by: false,
    expires_at,
  };
  if (view === undefined) return plain;
  if (!resolved) return { ...plain, value: null, expr: expr(view), as: null };
  const result = resolve(room, key);
  return "value" in result
    ? { ...plain, value: result.value, resolved_value: result.value, expr: expr(view), as: null }
    : {
      ...plain,
      value: null,
      resolved_value: null,
      expr: expr(view),
      as: null,
      error: { code: result.error },
    };
}

/** `known`: the version of the caller's ETag. */
export function read(
  room: Room,
  { scope, key, resolve: resolved, known }: { scope: string; key: string; resolve: boolean; known?: number },
): Expected {
  const entry = present(room, scope, key);
  if (!entry) return refusal(room, 404, "key_not_found");
  // The value of a view may change without its version.
  if (resolved && scope === "_view") return answer(room, shown(room, entry, true));
  if (known === entry.version) return { status: 304, revision: room.revision, etag: entry.version };
  return { ...answer(room, shown(room, entry)), etag: entry.version };
}

export function list(
  room: Room,
  { scope, since, prefix = "", resolve: resolved }: {
    scope?: string;
    since?: number;
    prefix?: string;
    resolve: boolean;
  },
): Expected {
  // Since a revision that the room has not come to, all of it.
  const start = since !== undefined && since > room.revision ? 0 : since;
  const body = sorted(room)
    .filter((entry) => scope === undefined || entry.scope === scope)
    .filter((entry) => entry.key.startsWith(prefix))
    .filter((entry) => start === undefined ? !entry.deleted : entry.changed > start)
    .map((entry) => shown(room, entry, resolved));
  return answer(room, body);
}

/** By scope and key, what was deleted among them. */
export function sorted({ entries }: Room): Entry[] {
  return [...entries].sort(([a], [b]) => a < b ? -1 : 1).map(([, entry]) => entry);
}
