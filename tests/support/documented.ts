import assert from "node:assert/strict";
import addFormats from "ajv-formats";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { ERRORS } from "../../errors.ts";
import { errorName, schemasOf } from "../../routes/openapi/components.ts";
import { openApi } from "../../routes/openapi/document.ts";
import type { Response } from "../../routes/openapi/responses.ts";
import type { Json, Reply } from "./client.ts";

export const document = openApi("http://127.0.0.1");

const pointer = (text: string) => text.replaceAll("~", "~0").replaceAll("/", "~1");

/** The paths as patterns, those without parameters first. */
const paths = Object.keys(document.paths)
  .sort((a, b) => a.split("{").length - b.split("{").length)
  .map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`) }));

let ajv: Ajv2020 | undefined;

/**
 * A validator of a part of the document. Objects are taken as closed, but for those that are open by what they
 * say: an answer's member that the document does not know is a mistake in one of the two.
 */
export function validatorOf(path: string[], of = "openapi"): ValidateFunction {
  if (ajv === undefined) {
    ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    ajv.addSchema(closed(document), "openapi");
    ajv.addSchema(closed({ components: { schemas: schemasOf({}) } }), "errors");
  }
  return ajv.getSchema(`${of}#/${path.map((part) => encodeURIComponent(pointer(part))).join("/")}`)!;
}

function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  const open = !("properties" in schema) || "additionalProperties" in schema;
  return open ? members : { ...members, additionalProperties: false };
}

/** Asserts that an answer is one that the document names for its operation, if it is an answer of the API. */
export function assertDocumented(method: string, { url, status, headers, body, text }: Reply): void {
  if (method === "HEAD" || method === "OPTIONS" || status === 204) return;
  const { pathname } = new URL(url);
  const found = paths.find(({ pattern }) => pattern.test(pathname));
  const operation = found && document.paths[found.path]![method.toLowerCase()];
  const type = headers.get("content-type")?.split(";")[0] ?? "";
  if (operation === undefined) {
    if (type === "application/json" && status >= 400) assertError(body);
    return;
  }
  const name = `${method} ${pathname}`;
  const response = operation.responses[status];
  assert.ok(response, `${name}: the document knows no ${status}: ${text}`);
  assertHeaders(name, response, headers);
  if (type === "") return;
  assert.ok(response.content?.[type], `${name}: the document knows no ${type} with ${status}`);
  if (!type.endsWith("json")) return;
  const place = ["paths", found!.path, method.toLowerCase(), "responses", String(status), "content"];
  const error = type === PROBLEM ? asError(body, name) : body;
  assertValid(validatorOf([...place, "application/json", "schema"]), error, name);
}

/** Of what the document does not name there are errors of every code. */
function assertError(body: Json): void {
  const name = errorName(String(body?.error));
  assert.ok(body?.error in ERRORS, `no error of the service: ${JSON.stringify(body)}`);
  assertValid(validatorOf(["components", "schemas", name], "errors"), body, name);
}

const PROBLEM = "application/problem+json";

/** A problem without the members that RFC 9457 adds to an error. */
function asError({ type, title, status, detail, ...error }: Json, name: string): Json {
  assertValid(validatorOf(["components", "schemas", "Problem"]), { type, title, status, detail }, name);
  return error;
}

function assertHeaders(name: string, response: Response, headers: Headers): void {
  const ours = Object.keys(document.components.headers);
  const stray = ours.filter((header) => headers.has(header) && !response.headers?.[header]);
  assert.deepEqual(stray, [], `${name} answers headers that the document does not name`);
}

export function assertValid(validate: ValidateFunction, value: unknown, name: string): void {
  if (validate(value)) return;
  const text = JSON.stringify(value)?.slice(0, 1_000);
  assert.fail(`${name}: ${ajv!.errorsText(validate.errors)}\n${text}`);
}
