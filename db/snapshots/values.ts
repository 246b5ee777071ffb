import type { Json } from "../json.ts";
import type { Listing } from "../consistent_read/listing.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { LIVE, LIVING } from "../consistent_read/living.ts";
import { mapYielding } from "../yield.ts";

/** A key of the state with its value. */
export interface EntryValue {
  scope: string;
  key: string;
  value: Json;
}

export const OF_SCOPES = `scope IN (SELECT value FROM json_each(:scopes))`;

// Finds many keys by passing through their scopes in order, so that each page begins where the last one ended.
export const OF_KEYS = `(+scope, +key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:keys))`;

/** The weight of one key that is looked up: few values are half as long as allowed. */
export const KEY_WEIGHT = 4;
/** The maximum number of keys that are looked up one by one: they are sure to fit into one answer. */
export const MAX_LOOKED_UP = 50;

/** The columns that `valuesOf` reads. */
export const VALUE_CELLS = ["scope", "key", "value"];

/** Finds the values of keys, by a JSON array of scopes and keys. Both arguments are SQL. */
export const LOOKED_UP = (room: string, keys: string) => `
  FROM json_each(${keys}) AS wanted
  CROSS JOIN state
    ON state.room_id = ${room} AND state.scope = wanted.value ->> 0 AND state.key = wanted.value ->> 1
 WHERE NOT deleted AND expr IS NULL`;

/** Selects the values of living entries, as rows for `valuesOf`. */
export function selectValues(where: string, args: Statement["args"]): Listing {
  const order = ["scope", "key"];
  return { table: "state", columns: VALUE_CELLS, where, live: LIVE, parts: LIVING, args, order };
}

/** Makes values of rows, and yields in between. */
export function valuesOf(rows: Row[]): Promise<EntryValue[]> {
  return mapYielding(rows, (row) => ({
    scope: row.scope as string,
    key: row.key as string,
    value: JSON.parse(row.value as string),
  }));
}
