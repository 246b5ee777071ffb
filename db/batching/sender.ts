import { pause } from "../pause.ts";
import { DatabaseUnavailable, faultOf } from "../driver/faults.ts";
import type { Row, Send, Statement } from "../driver/statement.ts";
import { checked, withCheck } from "../access/token.ts";
import type { Viewer } from "../viewer.ts";

/** Makes items of one kind share their statements in a batch. */
export interface Coalescer<Item, Result> {
  /** Makes the statements that serve all these items, which are one viewer's. */
  statements(items: Item[]): Statement[];
  /** Makes each item's result of the rows of these statements. */
  results(items: Item[], rows: Row[][]): Result[];
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

/** The submissions of one coalescer and viewer, and the statements that serve them all. */
interface Group {
  viewer: Viewer;
  submissions: Submission[];
  statements: Statement[];
}

const FIRST_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 200;

/**
 * Creates the function that sends submissions as one batch and answers each. It retries where the database was busy,
 * and without the submissions whose own statement failed. `readOnly` ones too large for one answer are sent one by one.
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
      const groups = grouped(submissions);
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

function grouped(submissions: Submission[]): Group[] {
  return [...Map.groupBy(submissions, ({ viewer }) => viewer.key).values()].flatMap((own) =>
    [...Map.groupBy(own, ({ coalescer }) => coalescer)].map(([coalescer, members]) => ({
      viewer: own[0]!.viewer,
      submissions: members,
      statements: withCheck(own[0]!.viewer, coalescer.statements(members.map(({ item }) => item))),
    }))
  );
}

function answer(groups: Group[], rows: Row[][]) {
  let from = 0;
  for (const { viewer, submissions, statements } of groups) {
    const all = rows.slice(from, from += statements.length);
    try {
      const own = checked(viewer, all);
      const results = submissions[0]!.coalescer.results(submissions.map(({ item }) => item), own);
      submissions.forEach((submission, n) => submission.resolve(results[n]));
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
  rejectAll(failed?.submissions ?? [], error);
  return groups.flatMap((group) => group === failed ? [] : group.submissions);
}

function unavailable(error: unknown, unknown: boolean): DatabaseUnavailable {
  if (error instanceof DatabaseUnavailable) return error;
  return new DatabaseUnavailable("The database did not answer.", unknown, { cause: error });
}

function rejectAll(submissions: Submission[], error: Error) {
  for (const submission of submissions) submission.reject(error);
}
