import { z } from "zod";

/** Members for which null is a value, and guards, for which the schema refuses it. */
const KEEP_NULL = ["value", "body", "if", "if_version"];
/** Edits of which null is a value only where the write does nothing else: clients send null for what they leave out. */
const NULL_ALONE = ["append", "remove"];
const ACTIONS = ["value", "increment", "expr", "merge", "append_all", "set", "unset", ...NULL_ALONE];
/** A list of texts that the API also takes as one text, with commas. */
const SEPARATED = "include";

/**
 * Makes an object's schema that understands what models send: null for what is absent, and text for numbers, for true and
 * false, and for lists. Refuses unknown names.
 */
export function members<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => understood(value, shape), z.strictObject(shape));
}

function understood(value: unknown, shape: z.ZodRawShape): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([name, member]) =>
    member !== null || KEEP_NULL.includes(name) || isNullAlone(name, value)
  );
  return Object.fromEntries(
    kept.map(([name, member]) => [
      name,
      Object.hasOwn(shape, name) ? meant(name, member, shape[name]!) : member,
    ]),
  );
}

/** True of an edit whose null is a value, since its write does nothing else. */
function isNullAlone(name: string, write: object): boolean {
  const given: Record<string, unknown> = { ...write };
  const acts = (other: string) => other === "value" ? Object.hasOwn(given, other) : given[other] != null;
  return NULL_ALONE.includes(name) && !ACTIONS.some(acts);
}

/**
 * Parses an argument that a model has sent as text where its schema takes none: a whole number, true or false, a list
 * with commas. The schema judges what it returns.
 */
function meant(name: string, value: unknown, schema: z.core.$ZodType): unknown {
  const { def } = innermost(schema)._zod;
  if (def.type === "array") {
    const element = (def as z.core.$ZodArrayDef).element;
    const ofNumbers = isWholeNumber(element);
    const items = typeof value === "string" && (ofNumbers || name === SEPARATED) ? itemsOf(value) : value;
    return ofNumbers && Array.isArray(items) ? items.map(numberOf) : items;
  }
  if (def.type === "union") return meantOf((def as z.core.$ZodUnionDef).options, name, value);
  if (def.type === "number") return numberOf(value);
  if (def.type === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}

/** Parses an argument of several types by the first of them that takes its text. */
function meantOf(options: readonly z.core.$ZodType[], name: string, value: unknown): unknown {
  for (const option of options) {
    const read = meant(name, value, option);
    if (read !== value) return read;
  }
  return value;
}

function itemsOf(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

function numberOf(value: unknown): unknown {
  return typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

/** Returns the schema within those that make it optional or give it a default. */
function innermost(schema: z.core.$ZodType): z.core.$ZodType {
  const { innerType } = schema._zod.def as { innerType?: z.core.$ZodType };
  return innerType === undefined ? schema : innermost(innerType);
}

function isWholeNumber(schema: z.core.$ZodType): boolean {
  const { type, format } = innermost(schema)._zod.def as { type: string; format?: string };
  return type === "number" && format === "safeint";
}
