/** Exit codes. `timedOut` is that of timeout(1). */
export const EXIT = { done: 0, failed: 1, usage: 2, timedOut: 124 } as const;

/** Says that a command waited for as long as it was to. Its `cause` is what the service said then. */
export class TimeOver extends Error {}
