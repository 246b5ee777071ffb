import assert from "node:assert/strict";
import { tests as data } from "@bufbuild/cel-spec/testdata/conformance.js";
import { underBudget } from "../../cel/language/budget.ts";
import { createLanguage, type Language } from "../../cel/language/environment.ts";
import { equal } from "../../cel/language/std/equality.ts";
import { UnsignedInt } from "../../cel/language/engine.ts";
import { parseDuration } from "../../cel/language/std/durations.ts";
import { parseTimestamp } from "../../cel/language/std/timestamps.ts";
import { typeName } from "../../cel/language/describe.ts";
import { decodeBase64 } from "../../cel/language/ext/base64.ts";
import { KNOWN_FAILURES, OUR_NUMBERS } from "./conformance_exceptions.ts";

interface Case {
  name: string;
  expr: string;
  value?: Value;
  typedResult?: { result?: Value };
  evalError?: unknown;
  bindings?: Record<string, { value: Value }>;
  typeEnv?: Array<{ name: string; ident?: { type: unknown }; function?: unknown }>;
  checkOnly?: boolean;
  disableCheck?: boolean;
  container?: string;
}

// deno-lint-ignore no-explicit-any
type Value = any;

interface Suite {
  name: string;
  suites?: Suite[];
  tests?: Array<{ original: Case }>;
}

/**
 * The core suites: those of the language itself, two-variable macros included; without extensions (`*_ext`),
 * optionals, type deductions, and the suites about protobuf messages.
 */
const CORE = new Set(
  ("basic comparisons conversions dynamic enums fields fp_math integer_math lists logic macros macros2 " +
    "namespace parse plumbing string timestamps wrappers").split(" "),
);

const PROTOBUF =
  /TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|objectValue|proto2|proto3|enumValue|cel\.expr|NestedEnum|GlobalEnum|@type/;

const languages = new Map<string, Language>();

/** A language with the variables that a case binds or declares. */
function languageOf({ bindings = {}, typeEnv = [] }: Case): Language {
  const names = [
    ...new Set([...Object.keys(bindings), ...typeEnv.filter((d) => d.ident).map((d) => d.name)]),
  ];
  const key = names.sort().join();
  const known = languages.get(key);
  if (known) return known;
  const language = createLanguage(Object.fromEntries(names.map((name) => [name, "dyn"])));
  languages.set(key, language);
  return language;
}

/** A value of the test data in CEL's types. */
function fromData(value: Value): unknown {
  const [kind, content] = Object.entries(value)[0] as [string, Value];
  switch (kind) {
    case "nullValue":
      return null;
    case "boolValue":
    case "stringValue":
      return content;
    case "int64Value":
      return BigInt(content);
    case "uint64Value":
      return new UnsignedInt(BigInt(content));
    case "doubleValue":
      return Number(content);
    case "bytesValue":
      return decodeBase64(content);
    case "listValue":
      return (content.values ?? []).map(fromData);
    case "mapValue":
      return new Map(
        (content.entries ?? []).map((entry: { key: Value; value: Value }) => [
          fromData(entry.key),
          fromData(entry.value),
        ]),
      );
    case "typeValue":
      return { typeName: content };
    case "objectValue":
      if (content["@type"].endsWith("Timestamp")) return parseTimestamp(content.value);
      if (content["@type"].endsWith("Duration")) return parseDuration(content.value);
  }
  throw new Error(`no such kind of value: ${kind}`);
}

function sameValue(actual: unknown, expected: unknown): boolean {
  if (typeof expected === "number" && Number.isNaN(expected)) return Number.isNaN(actual);
  if (expected !== null && typeof expected === "object" && "typeName" in expected) {
    return String(actual) === `Type<${expected.typeName}>` ||
      (actual as { name?: string })?.name === String(expected.typeName).replace("null_type", "null");
  }
  return typeName(actual) === typeName(expected) && equal(actual, expected);
}

/** Undefined where the case passes, else what went wrong. */
function verdict(test: Case): string | undefined {
  const expected = test.value ?? test.typedResult?.result;
  let actual: unknown;
  try {
    const program = languageOf(test).compile(test.expr);
    if (test.checkOnly) return undefined;
    const bindings = Object.entries(test.bindings ?? {}).map(([name, { value }]): [string, unknown] => [
      name,
      fromData(value),
    ]);
    actual = underBudget(() => program.run(new Map(bindings)));
  } catch (error) {
    return test.evalError ? undefined : `threw ${(error as Error).message.split("\n")[0]}`;
  }
  if (test.evalError) return "gave a value in place of an error";
  const wanted = expected === undefined ? true : fromData(expected);
  return sameValue(actual, wanted) ? undefined : `gave ${show(actual)}, not ${show(wanted)}`;
}

function show(value: unknown): string {
  return Deno.inspect(value, { compact: true, breakLength: Infinity }).slice(0, 100);
}

function* casesOf(suite: Suite, path = ""): Generator<[string, Case]> {
  for (const { original } of suite.tests ?? []) {
    if (!PROTOBUF.test(JSON.stringify(original))) yield [`${path}${original.name}`, original];
  }
  for (const inner of suite.suites ?? []) yield* casesOf(inner, `${path}${inner.name}/`);
}

const tally: Record<string, { cases: number; passing: number }> = {};
const failures = new Map<string, string>();
for (const suite of (data as unknown as Suite).suites ?? []) {
  const count = tally[suite.name] = { cases: 0, passing: 0 };
  for (const [name, test] of casesOf(suite, `${suite.name}/`)) {
    count.cases++;
    const problem = verdict(test);
    if (problem) failures.set(name, `${test.expr}  ${problem}`);
    else count.passing++;
  }
}

Deno.test("conformance: at least 96% of the core suites pass", () => {
  for (const [suite, { cases, passing }] of Object.entries(tally)) {
    if (cases > 0) {
      console.log(`${suite.padEnd(18)} ${passing}/${cases}  ${(100 * passing / cases).toFixed(1)}%`);
    }
  }
  const core = Object.entries(tally).filter(([suite]) => CORE.has(suite)).map(([, count]) => count);
  const cases = core.reduce((sum, count) => sum + count.cases, 0);
  const passing = core.reduce((sum, count) => sum + count.passing, 0);
  console.log(`core: ${passing}/${cases}  ${(100 * passing / cases).toFixed(1)}%`);
  assert.ok(cases > 1_000 && passing / cases >= 0.96, `${passing} of ${cases}`);
});

Deno.test("conformance: exactly the listed cases fail", () => {
  const listed = new Set([...OUR_NUMBERS, ...Object.values(KNOWN_FAILURES).flat()]);
  const unlisted = [...failures].filter(([name]) => !listed.has(name)).map(([name, problem]) =>
    `${name}: ${problem}`
  );
  assert.deepEqual(unlisted, [], "cases that fail and are not listed");
  assert.deepEqual([...listed].filter((name) => !failures.has(name)), [], "listed cases that pass");
});
