import { z } from "zod";
import { VERSION } from "../../version.ts";
import { docsOf, type ErrorCode, STATUS } from "../errors.ts";
import { ANSWERS, ERROR_MEMBERS } from "./answers.ts";
import { type Operation, OPERATIONS } from "./operations.ts";
import { IDEMPOTENCY_KEY, PATH_PARAMETERS } from "./parameters.ts";

type Schema = Record<string, unknown>;

export interface Response {
  description?: string;
  headers?: Record<string, Schema>;
  content?: Record<string, { schema: Schema; example?: unknown }>;
  $ref?: string;
}

export interface DocumentedOperation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  parameters?: Schema[];
  requestBody?: Schema;
  responses: Record<string, Response>;
}

export interface OpenApi {
  openapi: string;
  info: Schema;
  servers: Array<{ url: string }>;
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { schemas: Record<string, Schema>; headers: Record<string, Schema> };
}

const HEADERS: Record<string, Schema> = {
  "Convene-Revision": {
    description: "The room's revision that the answer reflects",
    schema: { type: "integer", minimum: 0 },
  },
  Link: {
    description: 'Where a list that was cut goes on: `<...>; rel="next"`',
    schema: { type: "string" },
  },
  "Convene-Reset": {
    description: "`true`: the room has not come to `since`, and the list is from the start",
    schema: { const: "true" },
  },
  ETag: {
    description: "What `If-Match` and `If-None-Match` take; of one entry, a room or a document, alone",
    schema: { type: "string" },
  },
  RateLimit: { description: "What is left of the caller's share", schema: { type: "string" } },
  "RateLimit-Policy": { description: "The caller's share", schema: { type: "string" } },
  "Idempotency-Replayed": {
    description: "`true`: the write was done before, by a request with the same key",
    schema: { const: "true" },
  },
  "Retry-After": { description: "Seconds to wait before the next try", schema: { type: "integer" } },
};

/** Named once half of the caller's share is used. */
const SHARE = ["RateLimit", "RateLimit-Policy"];

/** Anybody may be told these; `invalid_request` for a Host that is none. */
const EVERYWHERE: ErrorCode[] = ["invalid_request", "rate_limited", "internal", "unavailable"];

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const headersOf = (names: string[]) => Object.fromEntries(names.map((name) => [name, ref("headers", name)]));

/**
 * The API as OpenAPI 3.1, made when it is first asked for. Bodies come from the schemas that validate them: they
 * are converted as they are, since a validating middleware would read bodies by its own rules (Content-Type, the
 * order of refusals, the shape of an error), which are not the contract's.
 */
export function openApi(address: string): OpenApi {
  document ??= build();
  return { ...document, servers: [{ url: address }] };
}

let document: OpenApi | undefined;

function build(): OpenApi {
  return {
    openapi: "3.1.1",
    info: {
      title: "Convene",
      version: VERSION,
      summary: "Where agents coordinate: rooms, messages, state, views and waits",
      description:
        "GET / is the guide, /docs lists what else there is to read. POST /mcp is the same for MCP clients " +
        "(streamable HTTP); the Model Context Protocol describes its messages.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [],
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, operations]) => [
        path,
        Object.fromEntries(
          Object.entries(operations).map(([method, operation]) => [method, documented(path, operation)]),
        ),
      ]),
    ),
    components: { schemas: schemas(), headers: HEADERS },
  };
}

function documented(path: string, operation: Operation): DocumentedOperation {
  const { id, summary, description, parameters = [], body, example } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => PATH_PARAMETERS[name!]!);
  const [bodyName, schema] = body ?? [];
  return {
    operationId: id,
    summary,
    ...(description && { description }),
    tags: [tagOf(path)],
    parameters: [
      ...inPath,
      ...parameters,
      ...(takesKey(operation) ? [IDEMPOTENCY_KEY] : []),
    ] as unknown as Schema[],
    ...(bodyName && {
      requestBody: {
        required: !schema!.safeParse({}).success,
        content: { "application/json": { schema: ref("schemas", bodyName), example } },
      },
    }),
    responses: { ...successes(path, operation), ...refusals(path, operation) },
  };
}

/** Whether the operation is a write that an `Idempotency-Key` makes once. */
function takesKey({ body }: Operation): boolean {
  return body !== undefined && !["EvalRequest", "WaitRequest"].includes(body[0]);
}

function tagOf(path: string): string {
  return /^\/rooms\/\{room\}\/(\w+)/.exec(path)?.[1] ?? (path.startsWith("/rooms") ? "rooms" : "service");
}

function successes(path: string, operation: Operation): Record<string, Response> {
  const { answers, shown, headers = [] } = operation;
  const replayed = takesKey(operation) ? ["Idempotency-Replayed"] : [];
  const withRevision = path.startsWith("/rooms/") || answers[201] === "Room" ? ["Convene-Revision"] : [];
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const common = {
        description: DESCRIPTIONS[status]!,
        headers: headersOf([...withRevision, ...headers, ...replayed, ...SHARE]),
      };
      if (answer === "nothing") return [status, common];
      if (answer.includes("/")) {
        return [status, { ...common, content: { [answer]: { schema: { type: "string" } } } }];
      }
      const content = { "application/json": { schema: ref("schemas", answer), example: shown } };
      return [status, { ...common, content }];
    }),
  );
}

const DESCRIPTIONS: Record<string, string> = {
  200: "Done",
  201: "Created",
  304: "What you have is still right",
};

function refusals(path: string, operation: Operation): Record<string, Response> {
  const ofWrites: ErrorCode[] = takesKey(operation) ? ["idempotency_mismatch"] : [];
  const ofBodies: ErrorCode[] = operation.body ? ["request_timeout", "unsupported_encoding"] : [];
  const ofRoom: ErrorCode[] = path.startsWith("/rooms/") ? ["room_not_found"] : [];
  const ofPages: ErrorCode[] = path === "/healthz" ? [] : ["forbidden"];
  const byStatus = Map.groupBy(
    new Set([...operation.errors, ...ofRoom, ...ofWrites, ...ofBodies, ...ofPages, ...EVERYWHERE]),
    (code) => STATUS[code],
  );
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const refs = codes.map((code) => ref("schemas", errorName(code)));
      const schema = refs.length === 1 ? refs[0]! : { oneOf: refs };
      const retry = [429, 503].includes(status) ? ["Retry-After"] : [];
      const revision = [404, 409, 412, 422].includes(status) ? ["Convene-Revision"] : [];
      return [status, {
        description: codes.map((code) => `\`${code}\``).join(", "),
        headers: headersOf([...revision, ...retry, ...SHARE]),
        content: { "application/json": { schema }, "application/problem+json": { schema: PROBLEM } },
      }];
    }),
  );
}

const PROBLEM = ref("schemas", "Problem");

/** `VersionConflict` of `version_conflict`. */
function errorName(code: string): string {
  return code.split("_").map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}

function errorSchemas(): Record<string, z.ZodType> {
  return Object.fromEntries(
    (Object.keys(STATUS) as ErrorCode[]).map((code) => [
      errorName(code),
      z.object({
        error: z.literal(code),
        message: z.string(),
        hint: z.string().optional(),
        docs: z.literal(docsOf(code)),
        ...ERROR_MEMBERS[code],
      }),
    ]),
  );
}

const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  error: z.string(),
}).meta({ description: "RFC 9457, where `Accept` asks for it: the error's members, and these" });

function schemas(): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  const bodies = Object.values(OPERATIONS).flatMap((operations) =>
    Object.values(operations).flatMap(({ body }) => body ? [body] : [])
  );
  const all = { ...Object.fromEntries(bodies), ...ANSWERS, ...errorSchemas(), Problem };
  for (const [id, schema] of Object.entries(all)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: "input", // open objects: members may be added to what is answered
    unrepresentable: "any",
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema as Schema]),
  );
}
