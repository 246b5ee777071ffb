import type { Handler, Hono } from "hono";
import type { z } from "zod";
import type { ErrorCode } from "../../errors.ts";
import { type Judges, requiring } from "../http/callers/rights.ts";
import { made, type Parts } from "../http/input/schemas.ts";
import { resource } from "../http/methods.ts";
import type { Parameter } from "./parameters.ts";

/** The media types of an answer that is no JSON; empty if it has no body. */
type Media = Array<`text/${string}`>;

/** `Body` and `Answer` are names of schemas. */
export interface Operation<Body = string, Answer = string> {
  id: string;
  summary: string;
  description: string;
  parameters?: Parameter[];
  body?: Body;
  /** A body that can be sent unchanged. */
  example?: unknown;
  /** By status, the answer's schema or its media types. */
  answers: Partial<Record<200 | 201 | 304 | 404 | 503, Answer | Media>>;
  shown?: unknown;
  /** Further headers of a success, besides those of every answer about a room. */
  headers?: string[];
  /** Its own errors; the document adds those of every path of a room, and of all paths. */
  errors?: ErrorCode[];
}

/** Operations by path and method. */
export type Operations<Body = string, Answer = string> = Record<
  string,
  Partial<Record<"get" | "post" | "put" | "patch" | "delete", Operation<Body, Answer>>>
>;

type Schemas = Record<string, z.ZodType>;

/** Describes a resource for the document: schemas by name, made on first use, and operations. */
export function describe<
  Bodies extends Schemas,
  Answers extends Schemas,
  All extends Operations<keyof Bodies, keyof Answers>,
>({ bodies, answers, operations }: {
  bodies?: (parts: Parts) => Bodies;
  answers?: (parts: Parts) => Answers;
  operations: All;
}) {
  const none = () => ({}) as never;
  return { bodies: made(bodies ?? none), answers: made(answers ?? none), operations };
}

export function queryNames({ parameters = [] }: Pick<Operation, "parameters">): string[] {
  return parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
}

/**
 * Mounts the operations of a path, each with the query parameters that it describes (`resource`), for requests that
 * show what it asks (`requiring`).
 */
export function serve<All extends Operations, Path extends keyof All & string>(
  app: Hono,
  services: Judges,
  { operations }: { operations: All },
  path: Path,
  handlers: { [Method in keyof All[Path] & string as Uppercase<Method>]: Handler },
): void {
  const known: Record<string, string[]> = {};
  const judged: Record<string, Handler> = {};
  for (const [name, operation] of Object.entries(operations[path]!)) {
    const method = name.toUpperCase();
    known[method] = queryNames(operation);
    judged[method] = requiring(operation.id, services, (handlers as Record<string, Handler>)[method]!);
  }
  resource(app, path.replaceAll(/\{(\w+)\}/g, ":$1"), judged, known);
}
