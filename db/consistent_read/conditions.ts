import type { Value } from "../driver/statement.ts";

/** The WHERE of a query whose conditions are optional: those with a value count, and bind it under their name. */
export function createConditions(always: string, args: Record<string, Value>) {
  const conditions = [always];
  return {
    args,
    where(condition: string, name: string, value: string | number | undefined) {
      if (value === undefined) return;
      conditions.push(condition);
      args[name] = value;
    },
    sql: () => `WHERE ${conditions.join(" AND ")}`,
  };
}
