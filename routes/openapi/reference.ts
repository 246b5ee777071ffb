import type { OpenApi } from "./document.ts";
import type { DocumentedParameter } from "./parameters.ts";

type Body = { content: Record<string, { schema: { $ref: string }; example?: unknown }> };

/**
 * Renders the document as Markdown. The bundles of Swagger UI and Scalar need inline styles, which our
 * Content-Security-Policy forbids.
 */
export function referencePage({ paths }: OpenApi): string {
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
        sent ? `Body, for example:\n\n\`\`\`json\n${JSON.stringify(sent.example)}\n\`\`\`` : "",
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
