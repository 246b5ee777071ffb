export type Value = string | number | bigint | boolean | null;
export interface Statement {
  sql: string;
  args: Record<string, Value>;
  /** No more than one row comes back, which costs a file less. */
  single?: boolean;
}
export type Row = Record<string, unknown>;
/** Sends statements as one transaction and answers with the rows of each. */
export type Send = (statements: Statement[]) => Promise<Row[][]>;
