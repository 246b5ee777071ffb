import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { Refusal } from "../refusal.ts";
import type { Computed } from "../write/context.ts";
import { isBusy, yieldToOthers } from "../yield.ts";
import { compute, type Refused } from "./compute.ts";
import { toEntry, VIEW_SCOPE } from "./entry.ts";
import { isVersion } from "./preconditions.ts";
import { bytesOf, idOf, type Put, type StateLimits, type StateWrite } from "./put.ts";

/** A key as a write finds it, after those before it. */
interface Seen {
  live: boolean;
  version: number;
  value: Json;
}

/** What a write finds and leaves. */
interface Applied extends Computed {
  found: Seen;
}

/**
 * Applies the writes in order to the rows of `selectStored`, each seeing those before it. Returns what each write finds
 * and leaves, or the refusal of the first one that fails. Yields in between: a value may be large.
 */
export async function explainRefusal(put: Put, rows: Row[]): Promise<Refusal | Applied[]> {
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
    if (isBusy()) await yieldToOthers();
    const row = stored.get(idOf(write));
    const found = seen.get(idOf(write)) ?? { live: false, version: 0, value: null };
    const written = found.version > Number(row?.version ?? 0);
    const entry = { ...(put.batch && { index }), scope: write.scope, key: write.key };
    const refused = (): Refused => {
      const current = row && !row.deleted ? toEntry(row) : null;
      return { ...entry, current, ...(written && { after: found.version }) };
    };
    if (!isVersion(write.ifVersion, found.live ? found.version : 0)) {
      return new Refusal("version_conflict", { ...refused(), expected: write.ifVersion! }, revision);
    }
    const result = compute(write, found.live ? found.value : undefined, put.limits);
    if (typeof result === "function") return result(refused(), revision);
    const full = found.live ? undefined : countNew(write, counts, put.limits);
    if (full) return new Refusal("limit_reached", { ...entry, ...full }, revision);
    const { value, changed } = result;
    seen.set(idOf(write), { live: true, version: found.version + Number(changed), value });
    results.push({ found, ...result });
  }
  return refusedForSize(put, rows, stored) ?? results;
}

/** Refuses writes that leave too many bytes of views, naming the write after which they no longer fit. */
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

/** The numbers of keys and views of a room, and of keys in the private scopes that are written. */
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

/** Counts a new key; returns the limit that it exceeds, if any. */
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
