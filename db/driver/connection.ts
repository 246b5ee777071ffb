import type { Row, Statement } from "./statement.ts";

/** A connection to a database. `send` runs statements as one transaction in one round trip. */
export interface Connection {
  send(statements: Statement[], mode: "read" | "write"): Promise<Row[][]>;
  close(): void;
}
