import type { Statement, Value } from "./statement.ts";

/** Binds a statement's arguments as the client takes them. */
export function bound({ sql, args }: Statement) {
  const named: Record<string, string | number | bigint | null> = {};
  for (const name in args) named[name] = boundValue(args[name]!);
  return { sql, args: named };
}

/** Binds whole numbers as integers. The client binds numbers as REAL, which integer columns refuse. */
function boundValue(value: Value): string | number | bigint | null {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  if (typeof value === "boolean") return value ? 1n : 0n;
  return value;
}
