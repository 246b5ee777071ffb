import { isSecure } from "../access/acts.ts";
import { NOW } from "../clock.ts";
import { FROM_ADMITTED } from "../write/admission.ts";

/** Counts new keys, and the views among them, in a room. Those of private scopes do not count. */
export function added(keys: string, views?: string): string[] {
  const counts = [`key_count = key_count + ${keys}`];
  if (views === undefined) return counts;
  return [...counts, "views_revision = revision + 1", `view_count = view_count + ${views}`];
}

const WRITTEN = "room_id, scope, key, value, expr, version, revision, updated_at, updated_by, deleted";

export const INSERT_ENTRY = `INSERT INTO state (${WRITTEN})`;
export const INSERT_VERIFIED = `INSERT INTO state (${WRITTEN}, verified)`;

/** Milliseconds by the database's clock at which what a write with `:ttl` seconds brings is deleted. */
export const EXPIRY = `${NOW} + :ttl * 1000`;

/** Makes the next version of an existing entry or tombstone. `further`: columns that it takes on too. */
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

/** The rows of `from` that are put, with the SQL of what they hold. */
interface Source {
  from: string;
  value: string;
  expr: string;
}

/** What a put writes besides what all do. */
export interface PutKind {
  /** When it ends, with `:ttl`. */
  expires?: boolean;
  /** Whether its writer is secure. */
  verifies?: boolean;
  /** Of a view: with whose eyes it is evaluated. */
  defines?: boolean;
  /** SQL of the id under which the entry is stored, by default `:room`. */
  home?: string;
}

/** Puts rows of one key. `replaced`: the value where there is an entry. Append RETURNING. */
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
