import { DatabaseUnavailable } from "../../../db/driver/faults.ts";
import { LAST_ANSWER_MS } from "../in_time.ts";
import type { Waiter } from "./waiter.ts";

/** The maximum time for the last read of a wait, from its timeout or from `drain`. */
export const LAST_READ_MS = 1_500;

/** Ends waits whose last read takes too long, and somewhat later those too that have been read. Returns its timers. */
export function giveUpLater(
  waiters: () => Array<Pick<Waiter, "isLoaded" | "settle">>,
): Array<ReturnType<typeof setTimeout>> {
  const end = ({ settle }: Pick<Waiter, "settle">) =>
    settle(new DatabaseUnavailable("The database did not answer in time.", false));
  return [
    setTimeout(() => waiters().filter(({ isLoaded }) => !isLoaded).forEach(end), LAST_READ_MS),
    setTimeout(() => waiters().forEach(end), LAST_ANSWER_MS),
  ];
}
