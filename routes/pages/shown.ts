import { LONGEST } from "../../db/snapshots/page_queries.ts";
import type { Shown } from "../../views/shared/values.tsx";

/** Returns a value, or the beginning of a long one. */
export function shownOf(value: unknown): Shown {
  const json = JSON.stringify(value);
  return json.length > LONGEST ? { cut: json.slice(0, LONGEST), size: json.length } : { value };
}
