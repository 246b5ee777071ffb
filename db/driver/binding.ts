import type { Client } from "@libsql/client";
import type { Row, Statement, Value } from "./statement.ts";

/** Runs statements as one transaction, in one call; the rows of each. */
export async function batch(
  client: Client,
  statements: Statement[],
  mode: "read" | "write",
): Promise<Row[][]> {
  const results = await client.batch(statements.map(bound), mode);
  return results.map((result) => result.rows as unknown as Row[]);
}

/** A statement as the client takes it. */
export function bound({ sql, args }: Statement) {
  const named: Record<string, string | number | bigint | null> = {};
  for (const name in args) named[name] = boundValue(args[name]!);
  return { sql, args: named };
}

/** The client binds JavaScript numbers as REAL, and integer columns take none. */
function boundValue(value: Value): string | number | bigint | null {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  if (typeof value === "boolean") return value ? 1n : 0n;
  return value;
}
