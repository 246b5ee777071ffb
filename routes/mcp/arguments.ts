import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { z } from "zod";
import { issuesOf } from "../http/input/issues.ts";
import { MISSING, plainly } from "../http/input/wordings.ts";
import { members } from "./understood.ts";

// The API judges ids and values; a schema here only tells what is meant.
export const room = z.string().describe("Room id");
export const agent = z.string().optional().describe("Your id");
/** The token under which a call acts. Others than those of rooms come as a header alone. */
const token = z.string().regex(/^cvn_/, "must be a token of the room, as join gave it, without `Bearer`")
  .optional()
  .describe("Your token");
export const messageId = z.int().min(1);
export const gate = z.string("must be a CEL expression; leave it out to write unguarded").describe(
  "CEL that must hold at the write",
);
export const version = z.int("must be a version; leave it out to write unguarded").min(0).describe(
  "Only at this version; 0: if it is not there",
);
export const repetition = z.string().describe("A UUID; repeats act once").optional();

const EVERY_TYPE = [
  { type: "object" },
  { type: "array", items: {} },
  ...["string", "number", "boolean", "null"].map((type) => ({ type })),
];

/** A value of any type, with what it is for. It lists all types, since clients send as text what has none. */
export function anyJson(description: string) {
  return z.unknown().meta({ anyOf: EVERY_TYPE, description });
}

/** Data of the caller's own, of any members. */
export function ownMembers(description: string) {
  return z.looseObject({}).meta({ description });
}

/** One way to use a tool: what it needs and takes beside the arguments that all its ways take. */
export interface Way {
  /** Words the way for refusals. */
  name: string;
  needs?: string[];
  takes: string[];
  /** A list of which it takes one item. */
  one?: string;
}

/** Says which argument a way lacks, or does not take; undefined if all is well. */
function faultOf(
  { name, needs = [], takes, one = "" }: Way,
  given: Record<string, unknown>,
): string | undefined {
  const lacking = needs.find((need) => given[need] === undefined);
  if (lacking !== undefined) return `\`${lacking}\` ${MISSING}: ${name} needs it.`;
  const list = given[one];
  if (Array.isArray(list) && list.length > 1) return `${one}: ${name} takes one item.`;
  const known = [...needs, ...takes];
  const other = Object.keys(given).find((argument) =>
    given[argument] !== undefined && !known.includes(argument)
  );
  if (other === undefined) return undefined;
  return `${name} does not take \`${other}\`: leave it out. It takes ${
    known.map((argument) => `\`${argument}\``).join(", ")
  }.`;
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

/** The arguments of a tool, and how they are read. `others` maps alternative names to names. */
export interface Arguments<Shape extends z.ZodRawShape> {
  shape: Shape;
  others?: Record<string, string>;
  /** Tells which of the tool's ways arguments mean, with a token of a room or without. */
  wayOf?(given: Given<Shape>, hasToken: boolean): Way | undefined;
  /** Tells which argument names the agent that acts, where a call without a token needs it. */
  actorOf?(given: Given<Shape>): string | undefined;
}
export type Given<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>>;
type Tokened<Shape extends z.ZodRawShape> = Given<Shape> & { token?: string };

/** Makes the schema of a tool's arguments and of a token. Words faults as the API does. */
export function schemaOf<Shape extends z.ZodRawShape>(
  { shape: own, others = {}, wayOf, actorOf }: Arguments<Shape>,
  hasToken: boolean,
): StandardSchemaWithJSON<unknown, Tokened<Shape>> {
  const shape = { ...own, token };
  const all = members(shape);
  // A batch may ask for the list a hundred times.
  let listed: Record<string, unknown> | undefined;
  const jsonSchema = () => listed ??= shortSchemaOf(all);

  function faultIn({ token, ...rest }: Tokened<Shape>): string | undefined {
    const given = rest as unknown as Given<Shape>;
    const isHolder = hasToken || token !== undefined;
    const actor = isHolder ? undefined : actorOf?.(given);
    if (actor !== undefined && (given as Record<string, unknown>)[actor] === undefined) {
      return `\`${actor}\` ${MISSING}. \`${actor}\`: Your agent id, which otherwise your token says`;
    }
    const way = wayOf?.(given, isHolder);
    return way && faultOf(way, given);
  }

  return {
    "~standard": {
      version: 1,
      vendor: "convene",
      jsonSchema: { input: jsonSchema, output: jsonSchema },
      validate(value) {
        const parsed = all.safeParse(renamed(value, others), { error: plainly });
        if (parsed.success) {
          const given = parsed.data as Tokened<Shape>;
          const fault = faultIn(given);
          return fault === undefined ? { value: given } : { issues: [{ message: fault }] };
        }
        const { message, hint } = issuesOf({ shape }, value, parsed.error.issues, "argument");
        return {
          issues: [{ message: hint === undefined ? message : `${message.replace(/\.?$/, ".")} ${hint}` }],
        };
      },
    },
  };
}

/** Converts a schema for clients: short, since a model reads every tool's before its first word. */
function shortSchemaOf(all: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(all, { io: "input", override: shorten });
  return schema;
}

/** Leaves out what says nothing: bounds that all numbers here have, and that an object may have any members. */
function shorten({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === 0 || jsonSchema.minimum === 1) delete jsonSchema.minimum;
  if (jsonSchema.minItems === 1) delete jsonSchema.minItems;
  delete jsonSchema.pattern;
  if (typeof jsonSchema.additionalProperties !== "object") return;
  delete jsonSchema.additionalProperties;
  delete jsonSchema.properties;
}
