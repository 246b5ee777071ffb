import { pause } from "../pause.ts";
import { DatabaseUnavailable, faultOf } from "../driver/faults.ts";
import type { Row, Send } from "../driver/statement.ts";
import { type Group, groupedReads, groupedWrites, type Refused, type Submission } from "./groups.ts";

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
    let trusting = true;
    for (let backoff = FIRST_BACKOFF_MS;; backoff = Math.min(2 * backoff, MAX_BACKOFF_MS)) {
      submissions = withoutExpired(submissions, now());
      if (submissions.length === 0) return;
      const groups = readOnly ? groupedReads(submissions, trusting) : groupedWrites(submissions);
      try {
        const rows = await send(groups.flatMap(({ statements }) => statements));
        if (answered(groups, rows)) return;
        trusting = false;
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

/** Answers the submissions of all groups; returns false if none may be, since their tokens have to be checked. */
function answered(groups: Group[], rows: Row[][]): boolean {
  if (groups[0]?.holds?.(rows) === false) return false;
  let from = 0;
  const refused: Refused = new Map();
  for (const { submissions, statements, answer } of groups) {
    try {
      answer(rows.slice(from, from += statements.length), refused);
    } catch (error) {
      rejectAll(submissions, error as Error);
    }
  }
  return true;
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
