import type { McpServer, StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { z } from "zod";
import { issuesOf } from "../http/input/issues.ts";
import { MISSING, plainly } from "../http/input/wordings.ts";

/** Where tools are registered. */
export type Tools = Pick<McpServer, "registerTool">;

// The API judges ids and values; a schema here only tells what is meant.
export const room = z.string().describe("The room's id");
export const agent = z.string().describe("Your agent id");
export const gate = z.string("must be a CEL expression; leave it out to write unguarded").describe(
  "CEL that must hold in the very state that the write changes",
);
export const version = z.int("must be a version; leave it out to write unguarded").min(0).describe(
  "Only if the entry has this version; 0: only if it does not exist",
);
export const repetition = z.string().describe("A new UUID; the same call again with it is done once")
  .optional();

const EVERY_TYPE = [
  { type: "object", additionalProperties: true },
  { type: "array", items: {} },
  ...["string", "number", "boolean", "null"].map((type) => ({ type })),
];

/** A value of any type. It lists all types, since clients send as text what has none. */
export const anyJson = z.unknown().meta({ anyOf: EVERY_TYPE, description: "Any JSON; a text stays text" });
export const someJson = anyJson.refine((value) => value !== undefined, MISSING)
  .meta({ anyOf: EVERY_TYPE, description: "Any JSON; a text stays text" });

/** Members for which null is a value, and guards, for which it is refused. */
const KEEP_NULL = ["value", "body", "if", "if_version"];
/** Arguments that models also send as text, which has no other meaning there. */
const WHOLE_NUMBERS = new Set(
  ["after", "last", "limit", "thread", "reply_to", "message", "if_version", "timeout_seconds"],
);
const FLAGS = new Set(["if_new", "unclaimed"]);

/** Makes an object's schema that treats null as absent, and refuses unknown names. */
export function members<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(understood, z.strictObject(shape));
}

function understood(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([name, member]) => member !== null || KEEP_NULL.includes(name));
  return Object.fromEntries(kept.map(([name, member]) => [name, meant(name, member)]));
}

/** Parses an argument that came as text: a number, true or false, a list. */
function meant(name: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (WHOLE_NUMBERS.has(name) && /^\d{1,15}$/.test(value)) return Number(value);
  if (FLAGS.has(name) && /^(true|false)$/.test(value)) return value === "true";
  if (name === "include") {
    return value.split(",").map((field) => field.trim()).filter((field) => field !== "");
  }
  return value;
}

/** Renames members by `others`, unless the right name is there with another value. */
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

/** Makes the schema of a tool's arguments. `others` maps alternative names to names. Words faults as the API does. */
export function tool<Shape extends z.ZodRawShape>(
  shape: Shape,
  others: Record<string, string> = {},
): StandardSchemaWithJSON<unknown, z.infer<z.ZodObject<Shape>>> {
  const all = members(shape);
  const jsonSchema = () => schemaOf(all);
  return {
    "~standard": {
      version: 1,
      vendor: "convene",
      jsonSchema: { input: jsonSchema, output: jsonSchema },
      validate(value) {
        const parsed = all.safeParse(renamed(value, others), { error: plainly });
        if (parsed.success) return { value: parsed.data as z.infer<z.ZodObject<Shape>> };
        const { message, hint } = issuesOf({ shape }, value, parsed.error.issues, "argument");
        return { issues: [{ message: hint === undefined ? message : `${message} ${hint}` }] };
      },
    },
  };
}

/** Converts a schema for clients, without its dialect and the bounds that every JSON number has. */
function schemaOf(all: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(all, {
    io: "input",
    override({ jsonSchema }) {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return schema;
}
