import { AnswerTooLarge, DatabaseUnavailable, faultOf } from "./faults.ts";

export type Value = string | number | bigint | boolean | null;
export interface Statement {
  sql: string;
  args: Record<string, Value>;
}
export type Row = Record<string, unknown>;
/** Sends statements as one transaction and answers with the rows of each. */
export type Send = (statements: Statement[]) => Promise<Row[][]>;

export interface LaneLimits {
  /** Batches under way at once. */
  inFlight: number;
  /** Statements a batch carries at the most; a single job may exceed it. */
  statements: number;
  /** Statements that only read may be sent again whatever became of them. */
  readOnly: boolean;
  /** Milliseconds from `submit` after which a job that was not sent is given up. */
  patience: number;
}

interface Job {
  statements: Statement[];
  expires: number;
  resolve(rows: Row[][]): void;
  reject(error: Error): void;
}

const FIRST_BACKOFF_MS = 5;
const MOST_BACKOFF_MS = 200;

/**
 * Collects the jobs that arrive while a batch is under way and sends them as the next one: group commit for
 * writes, shared round trips for reads. A job is answered when its batch is acknowledged, never before.
 * Errors: `DatabaseUnavailable`, `AnswerTooLarge`, or what the database said of the job's own statement.
 */
export function createLane(send: Send, limits: LaneLimits, now: () => number) {
  const waiting: Job[] = [];
  let underWay = 0;

  function submit(statements: Statement[]): Promise<Row[][]> {
    return new Promise((resolve, reject) => {
      waiting.push({ statements, expires: now() + limits.patience, resolve, reject });
      pump();
    });
  }

  function pump() {
    while (underWay < limits.inFlight && waiting.length > 0) {
      underWay++;
      carry(nextBatch()).finally(() => {
        underWay--;
        pump();
      });
    }
  }

  function nextBatch(): Job[] {
    const batch: Job[] = [];
    let statements = 0;
    while (
      waiting.length > 0 &&
      (batch.length === 0 || statements + waiting[0]!.statements.length <= limits.statements)
    ) {
      const job = waiting.shift()!;
      statements += job.statements.length;
      batch.push(job);
    }
    return batch;
  }

  async function carry(jobs: Job[]): Promise<void> {
    for (let backoff = FIRST_BACKOFF_MS;; backoff = Math.min(2 * backoff, MOST_BACKOFF_MS)) {
      jobs = withoutExpired(jobs, now());
      if (jobs.length === 0) return;
      try {
        return answer(jobs, await send(jobs.flatMap((job) => job.statements)));
      } catch (error) {
        const fault = faultOf(error);
        if (fault.kind === "busy") await pause(backoff * (0.5 + Math.random()));
        else if (fault.kind === "statement") jobs = withoutFailed(jobs, fault.index, error as Error);
        else if (fault.kind === "large" && limits.readOnly) return carryAlone(jobs);
        else return rejectAll(jobs, unavailable(error, fault.kind !== "refused"));
      }
    }
  }

  async function carryAlone(jobs: Job[]): Promise<void> {
    if (jobs.length === 1) return jobs[0]!.reject(new AnswerTooLarge("The answer is too large."));
    for (const job of jobs) await carry([job]);
  }

  return { submit };
}

export type Lane = ReturnType<typeof createLane>;

function answer(jobs: Job[], rows: Row[][]) {
  let from = 0;
  for (const job of jobs) {
    job.resolve(rows.slice(from, from += job.statements.length));
  }
}

function withoutExpired(jobs: Job[], time: number): Job[] {
  const expired = jobs.filter((job) => job.expires <= time);
  rejectAll(expired, new DatabaseUnavailable("The database was too busy.", false));
  return expired.length === 0 ? jobs : jobs.filter((job) => job.expires > time);
}

function withoutFailed(jobs: Job[], index: number, error: Error): Job[] {
  let end = 0;
  const failed = jobs.find((job) => index < (end += job.statements.length));
  failed?.reject(error);
  return jobs.filter((job) => job !== failed);
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
