/**
 * Refuses what is no object of options, such as an agent's id: in JavaScript it would count as no options at all, and
 * another agent act. `how` is the call as it is written. Errors: `TypeError`.
 */
export function optionsOf<T extends object>(options: T, how: string): T {
  if (typeof options === "object" && options !== null) return options;
  throw new TypeError(`${JSON.stringify(options)} is no object of options: ${how}.`);
}
