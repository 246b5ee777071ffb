export type Value = string | number | bigint | boolean | null;
/** A condition or query with its arguments, to be embedded in a statement. */
export interface Condition {
  sql: string;
  args: Record<string, Value>;
}
export interface Statement extends Condition {
  /** Whether at most one row comes back, which costs a file less. */
  single?: boolean;
  /** Its share of a batch: by default 1, or `weightOf` the maximum of bytes that it may bring. */
  weight?: number;
}

/** Selects the arguments that the SQL names, since a server refuses others. */
export function argsOf(sql: string, args: Record<string, Value>): Record<string, Value> {
  const names = new Set(sql.match(/:\w+/g));
  return Object.fromEntries(Object.entries(args).filter(([name]) => names.has(`:${name}`)));
}

/** Makes a statement with the arguments that its SQL names. */
export function statementOf(sql: string, args: Record<string, Value>): Statement {
  return { sql, args: argsOf(sql, args) };
}

/** Bytes of rows that weigh 1; a batch of reads holds half a MiB of them (db/store.ts). */
const WEIGHED_BYTES = 8 * 1024;

/** Weighs a statement by the maximum of bytes that it may bring. */
export function weightOf(bytes: number): number {
  return Math.ceil(bytes / WEIGHED_BYTES);
}

export type Row = Record<string, unknown>;
/** Sends statements as one transaction; returns the rows of each. */
export type Send = (statements: Statement[]) => Promise<Row[][]>;

/** Sums the lengths of the texts in rows. */
export function lengthOf(results: Row[][]): number {
  let length = 0;
  for (const rows of results) {
    for (const row of rows) {
      for (const name in row) if (typeof row[name] === "string") length += row[name].length;
    }
  }
  return length;
}
