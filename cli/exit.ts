/** Exit codes. `timedOut` is that of timeout(1). */
export const EXIT = { done: 0, failed: 1, usage: 2, timedOut: 124 } as const;
