import type { z as Zod } from "zod";
import * as parts from "../http/input/schema_parts.ts";
import { STATE } from "../state/operations.ts";

const { z, count, json, time } = parts;
const index = count.meta({ description: "The refused write's place in its batch" });
const current = z.union(STATE.answers(parts).EntryOrView.options).nullable().meta({
  description: "The entry as it stands",
});

/** The members of errors that `members` of the table name. */
export const ERROR_MEMBERS: Record<string, Zod.ZodType> = {
  issues: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
  index,
  expression: z.string(),
  position: count,
  cause: z.object({ code: z.string(), message: z.string(), position: count.optional() }),
  current,
  evaluated: json,
  claimed: z.literal(false),
  claimed_by: z.string(),
  claimed_at: time,
};
