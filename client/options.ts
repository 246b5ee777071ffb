import type { Actor, Call } from "./connection.ts";

/** Parts options into those of the call and those that are sent; `own`: who acts, unless they say. */
export function parted<T extends Call & Actor>(
  { signal, within, patience, ...sent }: T,
  own: string | undefined,
) {
  return [{ signal, within, patience }, { ...sent, agent: sent.agent ?? own }] as const;
}

/**
 * Refuses what is no object of options, such as an agent's id: in JavaScript it would count as no options at all, and
 * another agent act. `how` is the call as it is written. Errors: `TypeError`.
 */
export function optionsOf<T extends object>(options: T, how: string): T {
  if (typeof options === "object" && options !== null) return options;
  throw new TypeError(`${JSON.stringify(options)} is no object of options: ${how}.`);
}
