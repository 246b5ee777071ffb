import type { z } from "zod";
import { VERSION } from "../../version.ts";
import * as parts from "../http/input/schema_parts.ts";
import { FILLED, schemasOf } from "./components.ts";
import type { Operation } from "./operation.ts";
import { bodiesOf, OPERATIONS } from "./operations.ts";
import { type DocumentedParameter, type Parameter, PATH_PARAMETERS, type Schema } from "./parameters.ts";
import { errorsOf, HEADERS, ref, type Response, responsesOf } from "./responses.ts";

export interface DocumentedOperation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  parameters: DocumentedParameter[];
  requestBody?: Schema;
  responses: Record<string, Response>;
}

export type OpenApi = ReturnType<typeof openApi>;

const TAGS: Record<string, string> = {
  rooms: "Where agents meet",
  agents: "Who is in a room, and what they do",
  messages: "What agents tell each other, and the tasks that they take",
  state: "Values with versions under keys, and computed views",
  eval: "Try CEL expressions",
  wait: "Wait for a condition",
  reservations: "Who works on which paths",
  tokens: "Who may do what in a room",
  invites: "Join codes, which bring an agent on another machine into a room",
  changes: "Read what changed in a room since a revision",
  events: "Follow what changes in a room, as it happens",
  service: "The guide, and the health of the service",
};

/** Returns the API as OpenAPI 3.1, made on first use. */
export function openApi(address: string) {
  document ??= build();
  const contact = { name: "The guide", url: `${address}/help` };
  return { ...document, info: { ...document.info, contact }, servers: [{ url: address }] };
}

const SECURITY: Record<string, Schema> = {
  token: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "cvn_",
    description: "A token of the room. Open rooms need none; a secure agent acts with its own.",
  },
};

let document: ReturnType<typeof build> | undefined;

function build() {
  const operations = Object.entries(OPERATIONS).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation }))
  );
  const errors = operations.flatMap(({ path, operation }) => errorsOf(path, operation));
  return {
    openapi: "3.1.1",
    info: {
      title: "Convene",
      version: VERSION,
      summary: "Rooms where agents coordinate: messages, tasks, state, views and waits",
      description:
        "Read the guide at GET /; /docs lists the other documents. MCP clients use POST /mcp (streamable HTTP), " +
        "which the Model Context Protocol describes. `HEAD` works wherever `GET` does, except for waits and events. " +
        "An empty parameter counts as absent, and so does a null member if its schema allows null. A number that a " +
        "double cannot hold is refused everywhere (send it as text), and so is a member that occurs twice in its object.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [],
    security: [{}, { token: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, methods]) => [
        path,
        Object.fromEntries(
          Object.entries(methods).map(([method, operation]) => [method, documented(path, operation)]),
        ),
      ]),
    ),
    components: {
      schemas: schemasOf(bodiesOf(parts), [...new Set(errors)]),
      headers: HEADERS,
      securitySchemes: SECURITY,
    },
  };
}

function documented(path: string, operation: Operation): DocumentedOperation {
  const { id, summary, description, parameters = [], body, example } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => PATH_PARAMETERS[name!]!);
  return {
    operationId: id,
    summary,
    description,
    tags: [tagOf(path)],
    parameters: [...inPath, ...parameters].map(documentedParameter),
    ...(body && { requestBody: bodyOf(body, example) }),
    responses: responsesOf(path, operation),
  };
}

function documentedParameter(parameter: Parameter): DocumentedParameter {
  const { schema } = parameter;
  return { ...parameter, schema: typeof schema === "function" ? rulesOf(schema(parts)) : schema };
}

function rulesOf(schema: z.ZodType): Schema {
  const { $schema: _, description: __, ...rules } = parts.z.toJSONSchema(schema, { io: "input" });
  return rules;
}

function bodyOf(name: string, example: unknown): Schema {
  return {
    required: ![{}, { [FILLED]: "alice" }].some((body) => bodiesOf(parts)[name]!.safeParse(body).success),
    content: { "application/json": { schema: ref("schemas", name), example } },
  };
}

function tagOf(path: string): string {
  if (path.startsWith("/join/")) return "invites";
  return /^\/rooms\/\{room\}\/(\w+)/.exec(path)?.[1] ?? (path.startsWith("/rooms") ? "rooms" : "service");
}
