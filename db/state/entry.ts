import { shownRoom } from "../access/locked.ts";
import type { Row } from "../driver/statement.ts";
import { roomOfEntry } from "../access/private.ts";
import type { Json } from "../json.ts";

export const SHARED_SCOPE = "_shared";
export const VIEW_SCOPE = "_view";

/** A key with its value. Times are ISO 8601. */
export interface Entry {
  room_id: string;
  scope: string;
  key: string;
  value: Json;
  /** The expression of a view, whose `value` is null. */
  expr?: string;
  /** The secure agent that defined the view, with whose eyes it is evaluated; null for everybody's. */
  as?: string | null;
  version: number;
  updated_at: string;
  updated_by: string | null;
  /** Whether that agent had proved who it is. */
  verified_by: boolean;
  /** When it is deleted; null where it stays. */
  expires_at: string | null;
}

/** A deleted key, in a list of changes. `updated_at`: when it was deleted. */
export interface Tombstone {
  scope: string;
  key: string;
  deleted: true;
  version: number;
  updated_at: string;
}

/** Makes an entry or a tombstone of its row. `read` parses the value. */
export function toListed(row: Row, read?: (json: string) => Json): Entry | Tombstone {
  if (!row.deleted) return toEntry(row, read);
  return {
    scope: row.scope as string,
    key: row.key as string,
    deleted: true,
    version: Number(row.version),
    updated_at: row.updated_at as string,
  };
}

/** Makes an entry of its row. `read` parses the value. */
export function toEntry(row: Row, read?: (json: string) => Json): Entry {
  const room = roomOfEntry(row.room_id as string);
  return entryAt(room, row.scope as string, row.key as string, row, read);
}

/** Makes an entry of a row without its key. `room`: the stored id; `read` parses the value. */
export function entryAt(
  room: string,
  scope: string,
  key: string,
  row: Row,
  read: (json: string) => Json = JSON.parse,
): Entry {
  return {
    room_id: shownRoom(room),
    scope,
    key,
    value: read(row.value as string),
    ...(row.expr === null ? {} : { expr: row.expr as string, as: eyesOf(row) }),
    version: Number(row.version),
    updated_at: row.updated_at as string,
    updated_by: row.updated_by as string | null,
    verified_by: Boolean(row.verified),
    expires_at: expiryOf(row),
  };
}

/** Reads the agent with whose eyes a view is evaluated; null for everybody's. */
export function eyesOf({ eyes = null }: Row): string | null {
  return eyes as string | null;
}

/** Reads when an entry is deleted: the column has milliseconds, or is missing where no entry has an end. */
export function expiryOf({ expires_at = null }: Row): string | null {
  return expires_at === null ? null : new Date(Number(expires_at)).toISOString();
}
