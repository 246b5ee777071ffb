import type { Row, Statement } from "./statement.ts";

/** What the service needs of a libSQL client: one round trip, all or nothing. */
export interface Connection {
  send(statements: Statement[], mode: "read" | "write"): Promise<Row[][]>;
  close(): void;
}
