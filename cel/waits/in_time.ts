/** The maximum time from a wait's timeout until its answer begins: docs/api.md promises it within 2 seconds. */
export const LAST_ANSWER_MS = 1_900;

/** Resolves with the work, or after `ms` milliseconds without it. */
export async function inTime(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
