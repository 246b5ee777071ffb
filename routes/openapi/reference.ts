import type { OpenApi } from "./document.ts";
import type { DocumentedParameter } from "./parameters.ts";

type Body = { content: Record<string, { schema: { $ref: string }; example?: unknown }> };

/** What is read of a JSON schema. */
interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  not?: Schema;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
}

/**
 * Renders the document as Markdown. The bundles of Swagger UI and Scalar need inline styles, which our
 * Content-Security-Policy forbids.
 */
export function referencePage({ paths, components }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const body = operation.requestBody as Body | undefined;
      const sent = body?.content["application/json"];
      const answers = Object.entries(operation.responses).map(([status, { description, content }]) => {
        const example = content?.["application/json"]?.example;
        return `- ${status}: ${description}${
          example === undefined ? "" : `, \`${JSON.stringify(example)}\``
        }`;
      });
      return [
        `## ${method.toUpperCase()} ${path}`,
        [operation.summary, operation.description].filter(Boolean).join(". "),
        operation.parameters.map(parameterLine).join("\n"),
        sent ? bodyText(components.schemas[sent.schema.$ref.split("/").at(-1)!]!, sent.example) : "",
        `Answers:\n\n${answers.join("\n")}`,
      ].filter(Boolean).join("\n\n");
    })
  );
  return `# The API\n\nThe same for machines, with every schema: [OpenAPI 3.1]($CONVENE/openapi.json).\n\n${
    operations.join("\n\n")
  }\n\n## Read next\n\n[The guide]($CONVENE/help), [what each error means]($CONVENE/docs/errors).\n`;
}

function parameterLine({ name, in: location, required, description, schema }: DocumentedParameter): string {
  const unsaid = schema.default ? `; ${schema.default} unless said` : "";
  return `- \`${name}\` (${location}${required ? ", required" : ""}): ${description}${unsaid}`;
}

function bodyText(schema: Schema, example: unknown): string {
  const shown = `\`\`\`json\n${JSON.stringify(example)}\n\`\`\``;
  const members = memberLines(schema);
  return members.length > 0
    ? `Body:\n\n${members.join("\n")}\n\nFor example:\n\n${shown}`
    : `Body:\n\n${shown}`;
}

/** A line for each member of an object, and below it one for each member of its items. */
function memberLines(schema: Schema, indent = ""): string[] {
  const { properties, required } = membersOf(schema);
  return Object.entries(properties).flatMap(([name, member]) => {
    const { type, of, description, unsaid } = told(member);
    const needed = required.includes(name) ? ", required" : "";
    const line = `${indent}- \`${name}\` (${type}${needed})${description ? `: ${description}` : ""}`;
    const items = memberLines(of ?? {}, `${indent}  `);
    return [unsaid === undefined ? line : `${line}; \`${JSON.stringify(unsaid)}\` unless said`, ...items];
  });
}

/** The members of an object, or of any of several, and those that are always required. */
function membersOf(schema: Schema): { properties: Record<string, Schema>; required: string[] } {
  const all = (schema.anyOf ?? [schema]).filter(({ properties }) => properties);
  const required = all.map(({ required = [] }) => new Set(required));
  const byName = Map.groupBy(all.flatMap(({ properties }) => Object.entries(properties!)), ([name]) => name);
  return {
    properties: Object.fromEntries(
      [...byName].map(([name, members]) => [name, { anyOf: members.map(([, member]) => member) }]),
    ),
    required: required.length > 0 ? [...required.reduce((a, b) => a.intersection(b))] : [],
  };
}

const ANY = "any JSON";

/** What a member may be, without the `null` that counts as absent. */
function told(member: Schema): { type: string; of?: Schema; description?: string; unsaid?: unknown } {
  const kinds = kindsOf(member);
  const types = kinds.flatMap((kind) => {
    const values = kind.const === undefined ? kind.enum : [kind.const];
    return values?.map((value) => JSON.stringify(value)) ?? kind.type ?? ANY;
  });
  const first = <Name extends keyof Schema>(name: Name) =>
    kinds.find((kind) => kind[name] !== undefined)?.[name];
  return {
    type: types.includes(ANY)
      ? ANY
      : [...new Set(types.flat())].filter((type) => type !== "null").join(" or "),
    of: first("items"),
    description: first("description"),
    unsaid: first("default"),
  };
}

/** The alternatives of a schema; a description of several is that of each. */
function kindsOf({ anyOf, ...schema }: Schema): Schema[] {
  if (anyOf) return anyOf.flatMap((kind) => kindsOf({ ...kind, ...schema }));
  const isAbsent = schema.type === "null" || schema.not?.type === "string";
  return isAbsent ? [] : [schema];
}
