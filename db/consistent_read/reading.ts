import type { Row, Statement } from "../driver/statement.ts";

/** A query that is being read, step by step. What a step brings is of one transaction. */
export interface Reading {
  /**
   * What to read next. `seen`: the room's revision at the step before; `last`: this step may be the last one;
   * `bytes`: what the next page may hold, 0 for none.
   */
  statements(seen: number | undefined, last: boolean, bytes: number): Statement[];
  take(results: Row[][]): void;
  isComplete(): boolean;
  rows(): Row[] | Promise<Row[]>;
}
