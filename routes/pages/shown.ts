import { LONGEST } from "../../db/snapshots/page_queries.ts";
import type { Shown } from "../../views/shared/values.tsx";

/** A value as it is, or its beginning where it is long. */
export function shownOf(value: unknown): Shown {
  const json = JSON.stringify(value);
  return json.length > LONGEST ? { cut: json.slice(0, LONGEST), size: json.length } : { value };
}
