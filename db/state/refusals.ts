import { Refusal } from "../refusal.ts";
import type { Entry } from "./entry.ts";
import type { StateWrite } from "./preconditions.ts";

/** A write of a batch that is refused: its index, and the version at which earlier writes of the key leave it. */
export interface RefusedWrite {
  index?: number;
  after?: number;
}

const EARLIER_WRITES = "After the earlier writes of this batch, ";

/** `current` is the entry as it is stored: nothing of a refused batch is. */
export function versionConflict(
  { scope, key }: { scope: string; key: string },
  expected: number,
  current: Entry | null,
  revision: number,
  { after, ...details }: RefusedWrite = {},
): Refusal {
  const version = after ?? current?.version;
  const is = version === undefined
    ? `does not exist, so it is not at version ${expected}`
    : expected === 0
    ? `exists, at version ${version}`
    : `is at version ${version}, not ${expected}`;
  const [then, hint] = after === undefined
    ? ["", "Decide again from `current`, and send its version as if_version (0: must not exist)."]
    : [
      EARLIER_WRITES,
      "A write sees those before it: write the key once, or leave if_version to its first write.",
    ];
  const message = `${then}${JSON.stringify(key)} in ${JSON.stringify(scope)} ${is}.`;
  return new Refusal("version_conflict", message, { ...details, current, hint }, revision);
}

export function notANumber(
  write: StateWrite,
  current: Entry | null,
  revision: number,
  { after, ...details }: RefusedWrite,
): Refusal {
  const named = `${JSON.stringify(write.key)} in ${JSON.stringify(write.scope)}`;
  const then = after === undefined ? "" : EARLIER_WRITES;
  return new Refusal("not_a_number", `${then}${named} cannot be incremented by ${write.delta}.`, {
    ...details,
    current,
    hint: "Only a number can be incremented, and the result must lie within ±(2^53 - 1).",
  }, revision);
}
