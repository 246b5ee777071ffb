import { isSecure } from "../access/acts.ts";
import { NOW } from "../clock.ts";
import { FROM_ADMITTED } from "../write/admission.ts";

/** Makes the assignments of a room's counts for new keys, and for the views among them. Both are SQL. */
export function added(keys: string, views?: string): string[] {
  const counts = [`key_count = key_count + ${keys}`];
  if (views === undefined) return counts;
  return [...counts, "views_revision = revision + 1", `view_count = view_count + ${views}`];
}

const WRITTEN = "room_id, scope, key, value, expr, version, revision, updated_at, updated_by, deleted";

/** Begins an INSERT of entries; of ones that may be verified. */
export const INSERT_ENTRY = `INSERT INTO state (${WRITTEN})`;
export const INSERT_VERIFIED = `INSERT INTO state (${WRITTEN}, verified)`;

/** When an entry with a `:ttl` in seconds is deleted, in milliseconds of the database's clock. */
export const EXPIRY = `${NOW} + :ttl * 1000`;

/** Ends an INSERT: it replaces an entry or tombstone by its next version. `further`: more columns that are replaced. */
export function orReplace(value: string, further: string[] = []): string {
  return `ON CONFLICT (room_id, scope, key) DO UPDATE SET
    value = ${value},
    expr = excluded.expr,
    version = version + 1,
    revision = excluded.revision,
    updated_at = excluded.updated_at,
    updated_by = excluded.updated_by,
    verified = excluded.verified,
    expires_at = excluded.expires_at,
    deleted = 0${further.map((column) => `,\n    ${column} = excluded.${column}`).join("")}`;
}

/** The rows to put, and the SQL of their values. */
interface Source {
  from: string;
  value: string;
  expr: string;
}

/** The columns that some puts write besides those that all write. */
export interface PutKind {
  /** Writes `expires_at`, by `:ttl`. */
  expires?: boolean;
  /** Writes `verified`: whether the writer is secure. */
  verifies?: boolean;
  /** Writes `eyes`, of a view: the agent with whose eyes it is evaluated. */
  defines?: boolean;
  /** The `room_id` of the entry in SQL, by default `:room`. */
  home?: string;
}

/** Puts rows of one key. `replaced`: the new value where there is an entry. Append RETURNING. */
export function putFrom(
  { from, value, expr }: Source,
  replaced: string,
  { expires, verifies, defines, home = ":room" }: PutKind,
): string {
  const further = {
    ...expires && { expires_at: EXPIRY },
    ...verifies && { verified: isSecure(":agent") },
    ...defines && { eyes: verifies ? `IIF(${isSecure(":agent")}, :agent, NULL)` : "NULL" },
  };
  const columns = [WRITTEN, ...Object.keys(further)].join(", ");
  const values = [
    `${home}, :scope, :key, ${value}, ${expr}, versions_above + 1, revision, :now, :agent, 0`,
    ...Object.values(further),
  ];
  return `
  INSERT INTO state (${columns})
  SELECT ${values.join(", ")} ${from}
  ${orReplace(replaced, defines ? ["eyes"] : [])}`;
}

const GIVEN = { from: FROM_ADMITTED, value: ":value", expr: ":expr" };

/** Puts `:value` and `:expr` if the write was admitted. Append RETURNING. */
export const UPSERT = (replaced: string, kind: PutKind = {}) => putFrom(GIVEN, replaced, kind);
