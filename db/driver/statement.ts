export type Value = string | number | bigint | boolean | null;
/** SQL that is a condition or a query, to be put into a statement together with its arguments. */
export interface Condition {
  sql: string;
  args: Record<string, Value>;
}
export interface Statement extends Condition {
  /** No more than one row comes back, which costs a file less. */
  single?: boolean;
  /** How much of a batch it takes, 1 unless it may bring much: `weightOf` the bytes that it brings at the most. */
  weight?: number;
}

/** Bytes of rows that weigh as much as a small statement; a batch of reads holds 2 MB of them. */
const WEIGHED_BYTES = 8 * 1024;

/** The weight of a statement that may bring so many bytes. */
export function weightOf(bytes: number): number {
  return Math.ceil(bytes / WEIGHED_BYTES);
}

export type Row = Record<string, unknown>;
/** Sends statements as one transaction and answers with the rows of each. */
export type Send = (statements: Statement[]) => Promise<Row[][]>;
