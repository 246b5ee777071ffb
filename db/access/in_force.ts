import type { Row, Statement } from "../driver/statement.ts";
import { SERVICE, type Viewer } from "../viewer.ts";
import { IN_FORCE } from "./token.ts";

const FIND = `SELECT 1 FROM tokens WHERE tokens.hash = :hash AND ${IN_FORCE}`;

interface Reads {
  read(viewer: Viewer, statements: Statement[]): Promise<Row[][]>;
}

/** Tells whether a token is in force, in whichever room. */
export async function isInForce(database: Reads, hash: string): Promise<boolean> {
  const [found] = await database.read(SERVICE, [{ sql: FIND, args: { hash } }]);
  return found!.length > 0;
}
