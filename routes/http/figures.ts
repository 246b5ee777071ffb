/** What a refused request had too many of: requests of a caller or to a room, or other things. */
export type Limited = "caller" | "room" | "waits" | "streams" | "codes";

/** Counts what this instance has answered since it began. Nothing in it names a caller or a room. */
export interface Figures {
  /** Counts an answer by its status. */
  answered(status: number): void;
  /** Counts a refusal by a limit of rates. */
  limited(by: Limited): void;
  /** Returns how many answers had each status that was given. */
  answers(): Array<[status: number, count: number]>;
  refusals(): Readonly<Record<Limited, number>>;
}

const STATUSES = 600;

export function createFigures(): Figures {
  const answers = new Float64Array(STATUSES);
  const refusals = { caller: 0, room: 0, waits: 0, streams: 0, codes: 0 };
  return {
    answered: (status) => void answers[status]!++,
    limited: (by) => void refusals[by]++,
    answers: () => [...answers].flatMap((count, status) => count > 0 ? [[status, count]] : []),
    refusals: () => refusals,
  };
}
