/** A map that knows why a key is absent that one might expect in it. */
export interface Explaining {
  /** Returns the reason, as a hint; undefined where there is none to tell. */
  [WHY_ABSENT](key: unknown): string | undefined;
}

export const WHY_ABSENT = Symbol("why absent");
