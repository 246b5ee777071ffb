import type { Row, Statement } from "../../db/driver/statement.ts";

/** What a release said to its database, and what it was answered (record.ts). */
export interface Recording {
  commit: string;
  /** When it was released. */
  date: string;
  /** How many migrations it knows. */
  migrations: number;
  /** Its statements, as the steps name them by number. */
  sql: string[];
  /** Writes that fill a database, and what is then asked of it. */
  before: Step[];
  after: Step[];
}

export interface Step {
  mode: "read" | "write";
  statements: Array<Omit<Statement, "sql" | "weight"> & { sql: number }>;
  rows: Row[][];
}

/** The statements of a step, to be sent. */
export function statementsOf({ sql }: Recording, step: Step): Statement[] {
  return step.statements.map((statement) => ({ ...statement, sql: sql[statement.sql]! }));
}

const FOLDER = new URL("releases/", import.meta.url);

/** The releases of which there are recordings, the oldest first. */
export function recordings(): Recording[] {
  return [...Deno.readDirSync(FOLDER)]
    .filter(({ name }) => name.endsWith(".json"))
    .map(({ name }): Recording => JSON.parse(Deno.readTextFileSync(new URL(name, FOLDER))))
    .sort((a, b) => a.date < b.date ? -1 : 1);
}
