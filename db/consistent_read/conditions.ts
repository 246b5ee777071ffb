import type { Value } from "../driver/statement.ts";

/**
 * Builds a WHERE of optional conditions. `where` leaves out a condition without a value, and binds a value under its
 * name.
 */
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
