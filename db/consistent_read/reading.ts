import type { Row, Statement } from "../driver/statement.ts";

/** Reads a query step by step, each step in one transaction. */
export interface Reading {
  /**
   * Makes the statements of the next step. `seen`: the room's revision at the step before, undefined for the first;
   * `last`: whether the step may be the last; `bytes`: the size of the next page, 0 for none.
   */
  statements(seen: number | undefined, last: boolean, bytes: number): Statement[];
  take(results: Row[][]): void;
  isComplete(): boolean;
  rows(): Row[] | Promise<Row[]>;
}
