import type { Row, Statement } from "../driver/statement.ts";
import { keyFor, type Viewer } from "../viewer.ts";
import type { Coalescer, SubmissionOptions } from "./groups.ts";

/** Creates a coalescer that sends statements as they are. One for each submission keeps it from being coalesced. */
export function createVerbatim(): Coalescer<Statement[], Row[][]> {
  return { statements: ([statements]) => statements!, results: (_, rows) => [rows] };
}

/** A read that has not been sent yet. */
interface Waiting {
  statements: Statement[];
  rows: Promise<Row[][]>;
  /** Whether other readers get its rows too. */
  joined: boolean;
}

type Submit = (viewer: Viewer, statements: Statement[], options: SubmissionOptions) => Promise<Row[][]>;

/**
 * Creates the function that submits reads: equal reads of a viewer that wait at the same time become one, with one
 * check of its token. No read joins one that is on its way, which may have missed what was answered before the request
 * came, such as that the token is revoked.
 */
export function createSharedReads(
  submit: Submit,
): (viewer: Viewer, statements: Statement[]) => Promise<Row[][]> {
  const waiting = new Map<string, Waiting>();

  return async function read(viewer, statements) {
    const name = keyFor(viewer, statements.map(nameOf).join("\n"));
    const first = waiting.get(name);
    if (first && areEqual(first.statements, statements)) {
      first.joined = true;
      return copyOf(await first.rows);
    }
    const taken = () => {
      if (waiting.get(name) === own) waiting.delete(name);
    };
    const own: Waiting = { statements, rows: submit(viewer, statements, { taken }), joined: false };
    waiting.set(name, own);
    const rows = await own.rows;
    return own.joined ? copyOf(rows) : rows;
  };
}

/** Each reader gets lists of its own, since it may remove rows from them. */
function copyOf(rows: Row[][]): Row[][] {
  return rows.map((of) => [...of]);
}

/** Makes a name of statements. Those with one name are nearly always equal. */
function nameOf({ sql, args }: Statement): string {
  return `${sql.length} ${Object.values(args).join("\t")}`;
}

function areEqual(some: Statement[], others: Statement[]): boolean {
  return some.length === others.length && some.every(({ sql, args }, n) => {
    const other = others[n]!;
    const names = Object.keys(args);
    return sql === other.sql && names.length === Object.keys(other.args).length &&
      names.every((name) => args[name] === other.args[name]);
  });
}
