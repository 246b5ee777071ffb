import { DatabaseUnavailable, faultOf } from "../driver/faults.ts";
import type { Row, Send, Statement } from "../driver/statement.ts";

/** How requests of one kind that travel together share their statements. */
export interface Merger<Item, Result> {
  /** The statements that serve all items at once. */
  statements(items: Item[]): Statement[];
  /** What each item gets from the rows of these statements. */
  results(items: Item[], rows: Row[][]): Result[];
}

export interface Job {
  merger: Merger<unknown, unknown>;
  item: unknown;
  weight: number;
  expires: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Jobs of one merger, and the statements that serve them. */
interface Group {
  jobs: Job[];
  statements: Statement[];
}

const FIRST_BACKOFF_MS = 5;
const MOST_BACKOFF_MS = 200;

/**
 * A function that sends jobs as one batch and answers each: again where the database was busy, without those whose
 * own statement failed. `readOnly` jobs may be sent again whatever became of them. Jobs expire by `now`.
 */
export function createCarrier(
  send: Send,
  readOnly: boolean,
  now: () => number,
): (jobs: Job[]) => Promise<void> {
  async function carry(jobs: Job[]): Promise<void> {
    for (let backoff = FIRST_BACKOFF_MS;; backoff = Math.min(2 * backoff, MOST_BACKOFF_MS)) {
      jobs = withoutExpired(jobs, now());
      if (jobs.length === 0) return;
      const groups = grouped(jobs);
      try {
        return answer(groups, await send(groups.flatMap(({ statements }) => statements)));
      } catch (error) {
        const fault = faultOf(error);
        if (fault.kind === "busy") await pause(backoff * (0.5 + Math.random()));
        else if (fault.kind === "statement") jobs = withoutFailed(groups, fault.index, error as Error);
        else if (fault.kind === "large" && readOnly && jobs.length > 1) return carryAlone(jobs);
        else return rejectAll(jobs, unavailable(error, fault.kind !== "refused"));
      }
    }
  }

  async function carryAlone(jobs: Job[]): Promise<void> {
    for (const job of jobs) await carry([job]);
  }

  return carry;
}

function grouped(jobs: Job[]): Group[] {
  const byMerger = Map.groupBy(jobs, ({ merger }) => merger);
  return [...byMerger].map(([merger, members]) => ({
    jobs: members,
    statements: merger.statements(members.map(({ item }) => item)),
  }));
}

function answer(groups: Group[], rows: Row[][]) {
  let from = 0;
  for (const { jobs, statements } of groups) {
    const own = rows.slice(from, from += statements.length);
    try {
      const results = jobs[0]!.merger.results(jobs.map(({ item }) => item), own);
      jobs.forEach((job, n) => job.resolve(results[n]));
    } catch (error) {
      rejectAll(jobs, error as Error);
    }
  }
}

function withoutExpired(jobs: Job[], time: number): Job[] {
  const expired = jobs.filter((job) => job.expires <= time);
  if (expired.length === 0) return jobs;
  rejectAll(expired, new DatabaseUnavailable("The database was too busy.", false));
  return jobs.filter((job) => job.expires > time);
}

function withoutFailed(groups: Group[], index: number, error: Error): Job[] {
  let end = 0;
  const failed = groups.find(({ statements }) => index < (end += statements.length));
  rejectAll(failed?.jobs ?? [], error);
  return groups.flatMap((group) => group === failed ? [] : group.jobs);
}

function unavailable(error: unknown, unknown: boolean): DatabaseUnavailable {
  if (error instanceof DatabaseUnavailable) return error;
  return new DatabaseUnavailable("The database did not answer.", unknown, { cause: error });
}

function rejectAll(jobs: Job[], error: Error) {
  for (const job of jobs) job.reject(error);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
