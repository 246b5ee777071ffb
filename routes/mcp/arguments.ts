import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { z } from "zod";
import { issuesOf } from "../unknown_names.ts";

// The API judges ids and values; a schema here only tells what is meant.
export const room = z.string();
export const agent = z.string().describe("An agent's id");
export const gate = z.string("must be a CEL expression; leave it out to write unguarded").describe(
  "CEL that must hold in the very state that the write changes",
);
export const version = z.int("must be a version; leave it out to write unguarded").describe(
  "Only if the entry has this version; 0: only if it does not exist",
);

/** What null is a value of, and the guards, for which it is refused. */
const KEEP_NULL = ["value", "body", "if", "if_version"];

/** Members that callers may leave out, or send as null. Names that are not among them are refused. */
export function members<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(withoutNulls, z.strictObject(shape));
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([name, member]) => member !== null || KEEP_NULL.includes(name));
  return Object.fromEntries(kept);
}

/** A member under its other name under its own, unless that is there and differs. */
function renamed(value: unknown, others: Record<string, string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const named: Record<string, unknown> = { ...value };
  for (const [other, name] of Object.entries(others)) {
    if (named[other] == null || (named[name] != null && named[name] !== named[other])) continue;
    named[name] = named[other];
    delete named[other];
  }
  return named;
}

/** The arguments of a tool; `others` are other names of some. What is wrong with them is told in the words of the API, with what to write instead. */
export function tool<Shape extends z.ZodRawShape>(
  shape: Shape,
  others: Record<string, string> = {},
): StandardSchemaWithJSON<unknown, z.infer<z.ZodObject<Shape>>> {
  const all = members(shape);
  const { vendor, version, jsonSchema } = all["~standard"];
  return {
    "~standard": {
      version,
      vendor,
      jsonSchema,
      validate(value) {
        const parsed = all.safeParse(renamed(value, others));
        if (parsed.success) return { value: parsed.data as z.infer<z.ZodObject<Shape>> };
        const { message, hint } = issuesOf({ shape }, parsed.error.issues);
        return { issues: [{ message: hint === undefined ? message : `${message} ${hint}` }] };
      },
    },
  };
}
