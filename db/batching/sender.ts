import { pause } from "../pause.ts";
import { DatabaseUnavailable, faultOf } from "../driver/faults.ts";
import type { Row, Send, Statement } from "../driver/statement.ts";
import { checked, checkOf, isLookedUp, type TokensCheck, withCheck } from "../access/token.ts";
import type { Viewer } from "../viewer.ts";

/** Makes items of one kind share their statements in a batch. */
export interface Coalescer<Item, Result> {
  /**
   * Makes the statements that serve all these items. Reads may be of several viewers: an item that not all of them may
   * see names its viewer. Writes are of one viewer, unless the coalescer `judges`.
   */
  statements(items: Item[]): Statement[];
  /** Makes each item's result, of the rows of these statements. */
  results(items: Item[], rows: Row[][]): Result[];
  /** Whether the statements of writes judge what the viewer of each item may do. */
  judges?: boolean;
  /** Whether the statements of reads are one, whose answer is one value in one row. */
  scalar?: boolean;
}

export interface Submission {
  viewer: Viewer;
  coalescer: Coalescer<unknown, unknown>;
  item: unknown;
  weight: number;
  expires: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Submissions, and the statements that serve them all. */
interface Group {
  submissions: Submission[];
  statements: Statement[];
  /** Answers the submissions by the rows. */
  answer(rows: Row[][], refused: Refused): void;
}

/** The refusals of viewers whose tokens are not in force, by their keys. */
type Refused = Map<string, Error>;

const FIRST_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 200;

/**
 * Creates the function that sends submissions as one batch and answers each. It sends them again where the database was
 * busy, and without those whose own statement failed. Reads that are too large for one answer are sent one by one.
 */
export function createBatchSender(
  send: Send,
  readOnly: boolean,
  now: () => number,
): (submissions: Submission[]) => Promise<void> {
  async function sendBatch(submissions: Submission[]): Promise<void> {
    for (let backoff = FIRST_BACKOFF_MS;; backoff = Math.min(2 * backoff, MAX_BACKOFF_MS)) {
      submissions = withoutExpired(submissions, now());
      if (submissions.length === 0) return;
      const groups = readOnly ? groupedReads(submissions) : groupedWrites(submissions);
      try {
        return answer(groups, await send(groups.flatMap(({ statements }) => statements)));
      } catch (error) {
        const fault = faultOf(error);
        if (fault.kind === "busy") await pause(backoff * (0.5 + Math.random()));
        else if (fault.kind === "statement") submissions = withoutFailed(groups, fault.index, error as Error);
        else if (fault.kind === "large" && readOnly && submissions.length > 1) return sendEach(submissions);
        else return rejectAll(submissions, unavailable(error, fault.kind !== "refused"));
      }
    }
  }

  async function sendEach(submissions: Submission[]): Promise<void> {
    for (const submission of submissions) await sendBatch([submission]);
  }

  return sendBatch;
}

/**
 * Groups reads by coalescer, whoever the viewers are. One check of all their tokens comes first, or in the statement of
 * a group: the batch reads one snapshot.
 */
function groupedReads(submissions: Submission[]): Group[] {
  const groups = [...Map.groupBy(submissions, ({ coalescer }) => coalescer).values()].map(groupOf);
  const holders = submissions.filter(({ viewer }) => isLookedUp(viewer));
  if (holders.length === 0) return groups;
  const check = checkOf(holders.map(({ viewer }) => viewer));
  const host = check.statements.length > 1
    ? undefined
    : groups.find(({ submissions }) => submissions[0]!.coalescer.scalar);
  return host
    ? [checkingToo(host, check), ...groups.filter((group) => group !== host)]
    : [checkAll(holders, check), ...groups];
}

function groupOf(submissions: Submission[]): Group {
  const { coalescer } = submissions[0]!;
  const items = submissions.map(({ item }) => item);
  return {
    submissions,
    statements: coalescer.statements(items),
    answer(rows, refused) {
      const results = coalescer.results(items, rows);
      submissions.forEach(({ viewer, resolve, reject }, n) => {
        const refusal = refused.size > 0 ? refused.get(viewer.key) : undefined;
        if (refusal) reject(refusal);
        else resolve(results[n]);
      });
    },
  };
}

/** Makes the group that checks the tokens of all these viewers. */
function checkAll(submissions: Submission[], { statements, refusals }: TokensCheck): Group {
  return {
    submissions,
    statements,
    answer(rows, refused) {
      for (const [key, refusal] of refusals(rows)) refused.set(key, refusal);
    },
  };
}

/**
 * Adds the check to the statement of a group: a single statement needs no transaction, which takes a server a tenth less
 * time.
 */
function checkingToo(host: Group, { statements: [check], refusals }: TokensCheck): Group {
  const [read] = host.statements;
  return {
    submissions: host.submissions,
    statements: [{
      ...read!,
      sql: besideEachOther(read!.sql, check!.sql),
      args: { ...read!.args, ...check!.args },
    }],
    answer(rows, refused) {
      for (const [key, refusal] of refusals(rows)) refused.set(key, refusal);
      host.answer(rows, refused);
    },
  };
}

/** The SQL of such statements, by that of the read and that of the check. There are few, each long. */
const made = new Map<string, Map<string, string>>();

function besideEachOther(read: string, check: string): string {
  const ofRead = made.get(read) ?? new Map<string, string>();
  const known = ofRead.get(check) ?? `SELECT (${read}) AS found, (${check}) AS gone`;
  made.set(read, ofRead.set(check, known));
  return known;
}

/**
 * Groups writes by coalescer, and those that are not judged by viewer too. A check of the token comes before such
 * writes, since they may revoke it.
 */
function groupedWrites(submissions: Submission[]): Group[] {
  return [...Map.groupBy(submissions, ({ coalescer }) => coalescer)].flatMap(([{ judges }, members]) =>
    judges
      ? [groupOf(members)]
      : [...Map.groupBy(members, ({ viewer }) => viewer.key).values()].map(checkedGroup)
  );
}

function checkedGroup(submissions: Submission[]): Group {
  const [{ viewer }] = submissions as [Submission];
  const { statements, answer } = groupOf(submissions);
  return {
    submissions,
    statements: withCheck(viewer, statements),
    answer: (rows, refused) => answer(checked(viewer, rows), refused),
  };
}

function answer(groups: Group[], rows: Row[][]) {
  let from = 0;
  const refused: Refused = new Map();
  for (const { submissions, statements, answer } of groups) {
    try {
      answer(rows.slice(from, from += statements.length), refused);
    } catch (error) {
      rejectAll(submissions, error as Error);
    }
  }
}

function withoutExpired(submissions: Submission[], time: number): Submission[] {
  const expired = submissions.filter((submission) => submission.expires <= time);
  if (expired.length === 0) return submissions;
  rejectAll(expired, new DatabaseUnavailable("The database was too busy.", false));
  return submissions.filter((submission) => submission.expires > time);
}

function withoutFailed(groups: Group[], index: number, error: Error): Submission[] {
  let end = 0;
  const failed = groups.find(({ statements }) => index < (end += statements.length));
  const without = new Set(failed?.submissions);
  rejectAll([...without], error);
  return [...new Set(groups.flatMap(({ submissions }) => submissions))].filter((each) => !without.has(each));
}

function unavailable(error: unknown, unknown: boolean): DatabaseUnavailable {
  if (error instanceof DatabaseUnavailable) return error;
  return new DatabaseUnavailable("The database did not answer.", unknown, { cause: error });
}

function rejectAll(submissions: Submission[], error: Error) {
  for (const submission of submissions) submission.reject(error);
}
