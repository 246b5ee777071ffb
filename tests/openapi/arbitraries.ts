import fc from "fast-check";
import { lostOf } from "../../routes/http/input/json_text.ts";
import { document } from "../support/documented.ts";

// deno-lint-ignore no-explicit-any -- JSON Schema is looked into, not typed
type Schema = any;

/** JSON whose numbers are held: the document tells of others in words alone. */
const json = fc.jsonValue({ maxDepth: 3 }).filter((value) =>
  lostOf(JSON.stringify(value), value) === undefined
);

/** Parses whatever a member named so holds; only such texts are drawn for it. */
const EXPRESSIONS = ["expr", "if", "condition"];
const EXPRESSION = fc.constantFrom("true", "state._shared.a == 1", "1 + 1", 'has(state["x"].y)', "now > now");

/** JSON that passes a schema of the document. */
export function arbitraryOf(schema: Schema, name = ""): fc.Arbitrary<unknown> {
  if (schema.$ref) return arbitraryOf(document.components.schemas[schema.$ref.split("/").at(-1)]!);
  if (schema.not?.type === "string") return fc.constant(null);
  if (EXPRESSIONS.includes(name) && schema.type === "string") return EXPRESSION;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one: Schema) => arbitraryOf(one, name)));
  if (Array.isArray(schema.type)) {
    return fc.oneof(...schema.type.map((type: string) => arbitraryOf({ ...schema, type }, name)));
  }
  switch (schema.type) {
    case undefined:
      return json;
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? Number.MAX_SAFE_INTEGER });
    case "number":
      return fc.double({ min: -1e15, max: 1e15, noNaN: true });
    case "string":
      return textOf(schema);
    case "array":
      return fc.array(arbitraryOf(schema.items), { minLength: schema.minItems ?? 0, maxLength: 5 });
    case "object":
      return objectOf(schema);
    default:
      throw new Error(`No arbitrary for the type ${schema.type}`);
  }
}

function textOf({ pattern, not, format, minLength = 0, maxLength = 300 }: Schema): fc.Arbitrary<string> {
  if (format === "date-time") return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  const text = pattern
    ? fc.stringMatching(new RegExp(pattern, "u"), { maxLength })
    : fc.string({ minLength, maxLength });
  return not ? text.filter((drawn) => !new RegExp(not.pattern, "u").test(drawn)) : text;
}

function objectOf({ properties, propertyNames, minProperties, required = [] }: Schema): fc.Arbitrary<object> {
  if (properties === undefined) {
    const name = propertyNames ? textOf(propertyNames) : fc.string();
    return fc.dictionary(name, json, { minKeys: minProperties ?? 0, maxKeys: 4 });
  }
  const members = Object.entries(properties).map(([name, schema]) => [name, arbitraryOf(schema, name)]);
  return fc.record(Object.fromEntries(members), { requiredKeys: required });
}

const long = (length: number) => "x".repeat(length);

/** What callers put where something else belongs. */
export const ODD: unknown[] = [
  ...[null, true, false, 0, 1, -1, 1.5, 3, Number.MAX_SAFE_INTEGER, [], {}, { a: 1 }],
  ...["", " ", "a", ".", "..", "...", "_x", "_shared", "_view", "_law", "__", "\u00a0", "a\u0000", "a\u0085"],
  ...[long(128), long(129), long(256), long(257), "true", "active", "x ==", "4"],
  ...[
    "state",
    "agents, state.x ",
    " ,agents,,",
    "state.",
    "state. ",
    "state.a b,messages",
    "messages:after:3",
  ],
  ...["messages:after:", "changes:after:0", "changes:after:-1", "all", "State"],
  ...[
    ["state", "agents"],
    ["state. "],
    ["state."],
    ["agents "],
    [1],
    Array.from({ length: 101 }, () => "state"),
  ],
  ...[[{ key: "a", value: 1 }], [{ key: "a" }], [{ key: "a", value: 1, if: "true" }], [{ value: 1 }]],
];

type Members = Record<string, unknown>;

/** Bodies that pass a schema but for a few members, which are odd, missing or too many. */
export function nearlyOf(schema: Schema): fc.Arbitrary<Members> {
  const names = [...namesOf(schema), "meta_", "version"];
  const change = fc.tuple(fc.constantFrom(...names), fc.option(fc.constantFrom(...ODD), { nil: undefined }));
  return fc.tuple(arbitraryOf(schema) as fc.Arbitrary<Members>, fc.array(change, { maxLength: 2 }))
    .map(([body, changes]) => {
      const { ...changed } = body;
      for (const [name, value] of changes) {
        if (value === undefined) delete changed[name];
        else changed[name] = value;
      }
      return changed;
    });
}

/** The names of a body's members, in each of its kinds. */
export function namesOf({ $ref, anyOf, properties }: Schema): string[] {
  if ($ref) return namesOf(document.components.schemas[$ref.split("/").at(-1)]);
  if (anyOf) return [...new Set<string>(anyOf.flatMap(namesOf))];
  return Object.keys(properties);
}

/** What callers put into parameters. */
export const ODD_TEXTS = ODD.filter((value) => typeof value === "string" || typeof value === "number")
  .map(String).filter((text) => text !== "");
