import fc from "fast-check";
import type { z } from "zod";
import { STATUSES } from "../../db/agents/presence.ts";

const json = fc.jsonValue({ maxDepth: 5 });
/** Texts of every kind, ids and keys that exist among them. */
const text = fc.oneof(
  fc.constantFrom(
    "k",
    "ann",
    "_shared",
    "_view",
    "v",
    "true",
    "__proto__",
    "constructor",
    "\u0000",
    "\ud800",
  ),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
);

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom(
      "true",
      "null",
      "0",
      "1u",
      "-9223372036854775808",
      "1e308",
      '"a"',
      'b"\\xff"',
      "'\\u0000'",
      "now",
      "self",
      "messages.count",
      "agents",
      "state",
      "state._shared",
      "state._shared.k",
      "state._view.v",
      "state._view",
      'state["ann"].k',
      "agents.ann.status",
      "x",
      "e",
      "[]",
      "{}",
      "type(1)",
      'r"\\"',
      "",
    ),
    fc.tuple(
      tie("expression"),
      fc.constantFrom(..."+-*/%<>".split(""), "==", "!=", "&&", "||", "in", ".", "?", ","),
      tie("expression"),
    )
      .map((parts) => parts.join(" ")),
    fc.tuple(
      fc.constantFrom("!", "-", "(", "size(", "int(", "string(", "has(", "timestamp(", "duration(", "dyn("),
      tie("expression"),
    )
      .map(([before, inner]) => before + inner + (before.endsWith("(") ? ")" : "")),
    fc.tuple(
      tie("expression"),
      fc.constantFrom("all", "exists", "exists_one", "map", "filter"),
      tie("expression"),
    )
      .map(([list, macro, body]) => `${list}.${macro}(e, ${body})`),
    fc.tuple(
      tie("expression"),
      fc.constantFrom("matches", "contains", "startsWith", "split", "join", "format"),
      tie("expression"),
    )
      .map(([subject, method, argument]) => `${subject}.${method}(${argument})`),
    fc.tuple(tie("expression"), tie("expression"), tie("expression")).map(([a, b, c]) =>
      `(${a} ? ${b} : ${c})`
    ),
    fc.tuple(tie("expression"), tie("expression")).map(([list, index]) => `${list}[${index}]`),
    fc.array(tie("expression"), { maxLength: 4 }).map((items) => `[${items}]`),
    fc.tuple(tie("expression"), tie("expression")).map(([key, value]) => `{${key}: ${value}}`),
    fc.tuple(tie("expression"), tie("expression")).map(([value, body]) => `cel.bind(e, ${value}, ${body})`),
    fc.string({ unit: "binary", maxLength: 20 }),
  ),
}));

/** Expressions in the grammar of CEL and beside it. */
export const expressions: fc.Arbitrary<string> = expression;

const EXPRESSIONS = ["expr", "if", "condition"];

/** Values that have the shape of a schema; not each of them passes its finer checks. */
function arbitraryOf(schema: z.core.$ZodType, name = ""): fc.Arbitrary<unknown> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return fc.record(
        Object.fromEntries(
          Object.entries(def.shape).map(([name, member]) => [name, arbitraryOf(member, name)]),
        ),
      );
    case "optional":
      return fc.option(arbitraryOf(def.innerType, name), { nil: undefined });
    case "nullable":
      return fc.option(arbitraryOf(def.innerType, name));
    case "array":
      return fc.array(arbitraryOf(def.element), { minLength: 1, maxLength: 22 });
    case "union":
      return fc.oneof(...def.options.map((option) => arbitraryOf(option)));
    case "record":
      return fc.dictionary(fc.string(), json, { maxKeys: 5 });
    case "enum":
      return fc.constantFrom(...STATUSES);
    case "boolean":
      return fc.boolean();
    case "number":
      return name === "timeout"
        ? fc.constantFrom(0, 1)
        : fc.oneof(fc.nat(5), fc.maxSafeInteger(), fc.double());
    case "string":
      return EXPRESSIONS.includes(name) ? expressions : text;
    case "pipe":
      return arbitraryOf(def.in, name);
    case "custom":
      return json;
    default:
      throw new Error(`No arbitrary for a schema of type ${def.type}`);
  }
}

/** Bodies for a schema as they should be, and with one member that was made something else. */
export function bodiesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const valid = arbitraryOf(schema) as fc.Arbitrary<Record<string, unknown>>;
  const mutated = fc.tuple(valid, fc.nat(), fc.oneof(json, text)).map(([body, n, value]) => {
    const names = Object.keys(body);
    return { ...body, ...names.length > 0 && { [names[n % names.length]!]: value } };
  });
  return fc.oneof({ weight: 2, arbitrary: valid }, { weight: 2, arbitrary: mutated }, {
    weight: 1,
    arbitrary: json,
  });
}
