/** What a refused request had too many of: requests of a caller or to a room, or other things. */
export type Limited = "caller" | "room" | "waits" | "streams" | "codes";

const STATUSES = 600;

/** Counts what this instance has answered since it began. Nothing in it names a caller or a room. */
export function createFigures() {
  const answers = new Float64Array(STATUSES);
  const refusals: Record<Limited, number> = { caller: 0, room: 0, waits: 0, streams: 0, codes: 0 };
  return {
    answered: (status: number) => void answers[status]!++,
    limited: (by: Limited) => void refusals[by]++,
    /** Returns how many answers had each status that was given. */
    answers: () => [...answers.entries()].filter(([, count]) => count > 0),
    refusals: () => refusals,
  };
}
