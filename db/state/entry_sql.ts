import { FROM_ADMITTED } from "../write/admission.ts";

/** Counts new keys, and the views among them, in a room. */
export function added(keys: string, views?: string): string[] {
  const counts = [`key_count = key_count + ${keys}`];
  if (views === undefined) return counts;
  return [...counts, "views_revision = revision + 1", `view_count = view_count + ${views}`];
}

export const INSERT_ENTRY =
  `INSERT INTO state (room_id, scope, key, value, expr, version, revision, updated_at, updated_by, deleted)`;

/** Makes the next version of an existing entry or tombstone. */
export function orReplace(value: string): string {
  return `ON CONFLICT (room_id, scope, key) DO UPDATE SET
    value = ${value},
    expr = excluded.expr,
    version = version + 1,
    revision = excluded.revision,
    updated_at = excluded.updated_at,
    updated_by = excluded.updated_by,
    expires_at = excluded.expires_at,
    deleted = 0`;
}

/** Puts one entry if its write was admitted. Append RETURNING. */
export const UPSERT = (value: string) => `
  ${INSERT_ENTRY}
  SELECT :room, :scope, :key, :value, :expr, 1, revision, :now, :agent, 0 ${FROM_ADMITTED}
  ${orReplace(value)}`;
