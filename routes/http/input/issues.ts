import type { Path } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { hintOf, type Kind, listOf, meantBy, messageOf } from "./unknown_names.ts";
import { MISSING } from "./wordings.ts";

/** The parts of a zod schema that this module reads. */
interface Schema {
  shape?: Record<string, unknown>;
  element?: unknown;
  /** The schema that parses the values of a preprocessed one. */
  out?: unknown;
  description?: string;
  options?: unknown[];
}
interface Issue {
  code?: string;
  path: PropertyKey[];
  message: string;
  keys?: string[];
  expected?: string;
}

const WHOLE: Record<Exclude<Kind, "tool">, string> = {
  member: "The body",
  parameter: "The query",
  argument: "The arguments",
};

/**
 * Returns the issues of a value that a schema refused, unknown names first, each with its own path. `message` and
 * `hint` are about the first one. `kind`: what the value's names name.
 */
export function issuesOf(
  schema: unknown,
  value: unknown,
  found: Issue[],
  kind: Exclude<Kind, "tool"> = "member",
) {
  const unknown = found.flatMap(({ code, path, keys }) =>
    code === "unrecognized_keys"
      ? (keys ?? []).slice(0, LIMITS.issues).map((name) => ({ path: path as Path, name }))
      : []
  );
  const others = found.filter(({ code }) => code !== "unrecognized_keys");
  const [other] = others;
  const issues = [
    ...unknown.map(({ path, name }) => ({ path: [...path, name], message: messageOf(kind, name) })),
    ...others.map(({ path, message }) => ({
      path: path as Path,
      message: isMissing(value, path) ? MISSING : message,
    })),
  ].slice(0, LIMITS.issues);
  const { path, message } = issues[0]!;
  const [first] = unknown;
  const where = first ? first.path : path;
  const prefix = where.length > 0 ? `${where.join(".")}: ` : first ? "" : `${WHOLE[kind]}: `;
  return {
    issues,
    message: message === MISSING ? `\`${path.join(".")}\` ${MISSING}.` : `${prefix}${message}`,
    hint: first
      ? memberHint(kind, schema as Schema, first.path, first.name)
      : message === MISSING
      ? descriptionHint(schema as Schema, path)
      : other && typeHint(other, valueAt(value, other.path), schema as Schema),
  };
}

/** Tells how to write a value of another JSON type than was sent, where what is meant is plain. */
function typeHint({ code, expected, path }: Issue, sent: unknown, schema: Schema): string | undefined {
  if (path.length === 0) {
    const holdsList = Array.isArray(sent) && namesOf(schema).includes("writes");
    return holdsList ? 'Send the list as a member: {"writes":[...]}.' : 'Send one object: {"key":"value"}.';
  }
  if (code !== "invalid_type" && code !== "invalid_union") return undefined;
  const isNumber = typeof sent === "string" && NUMBER.test(sent);
  const isFlag = sent === "true" || sent === "false";
  if (expected === "string") return typeof sent === "number" ? `Write it in quotes: "${sent}".` : undefined;
  if (expected !== "array") {
    const isQuoted = isNumber && expected === "number" || isFlag && expected === "boolean" ||
      code === "invalid_union" && (isNumber || isFlag);
    return isQuoted ? `Write it without quotes: ${sent}.` : undefined;
  }
  const isWhole = typeof sent === "object" || path.at(-1) === "writes";
  if (isWhole) return "Send a list of objects: [{...}].";
  const item = isNumber ? sent : JSON.stringify(sent);
  return item.length <= SHOWN ? `Send a list: [${item}].` : "Send a list: [...].";
}

/** A whole number that was sent as text. Fractions are left out: few members take one. */
const NUMBER = /^-?\d{1,15}$/;

/** UTF-16 units of a text that a hint repeats. */
const SHOWN = 64;

function isMissing(value: unknown, path: PropertyKey[]): boolean {
  return valueAt(value, path, null) === undefined;
}

/** The value at a path; `otherwise` where the path leads through what has no members. */
function valueAt(value: unknown, path: PropertyKey[], otherwise?: null): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return otherwise;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}

/** Tells where an unknown member belongs: under another name, in another object, or nowhere. */
function memberHint(kind: Kind, schema: Schema, path: Path, name: string): string {
  const known = namesOf(schemaAt(schema, path));
  const top = namesOf(schema);
  const elsewhere = path.length > 0
    ? { names: top, hint: (name: string) => `Put \`${name}\` beside \`writes\`.` }
    : top.includes("writes")
    ? {
      names: namesOf(schemaAt(schema, ["writes", 0])),
      hint: (name: string) => `Put \`${name}\` into each of the \`writes\` that it is for.`,
    }
    : undefined;
  if (elsewhere?.names.includes(name)) return elsewhere.hint(name);
  const hint = hintOf(kind, name, known);
  const meant = hint === undefined && elsewhere ? meantBy(name, elsewhere.names) : undefined;
  return meant === undefined ? hint ?? listOf(kind, known) : elsewhere!.hint(meant);
}

/** Tells what a missing member is, or which values it may have. */
function descriptionHint(schema: Schema, path: Path): string | undefined {
  const { description, options = [] } = schemaAt(schema, path);
  if (options.length > 0 && options.every((option) => typeof option === "string")) {
    return `\`${path.at(-1)}\`: one of ${options.map((option) => JSON.stringify(option)).join(", ")}.`;
  }
  return description && `\`${path.at(-1)}\`: ${description}${description.endsWith(".") ? "" : "."}`;
}

function schemaAt(schema: Schema, path: Path): Schema {
  return path.reduce<Schema>((at, step) => (at.element ?? at.shape?.[step] ?? {}) as Schema, schema);
}

function namesOf({ shape, out }: Schema): string[] {
  return Object.keys(shape ?? (out as Schema | undefined)?.shape ?? {});
}
