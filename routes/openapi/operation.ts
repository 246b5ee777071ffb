import type { Handler, Hono } from "hono";
import type { z } from "zod";
import type { ErrorCode } from "../../errors.ts";
import { made, type Parts } from "../http/input/schemas.ts";
import { resource } from "../http/methods.ts";
import type { Parameter } from "./parameters.ts";

/** Answers that are no JSON, by their media types; none of them where there is no body. */
type Media = Array<`text/${string}`>;

/** `Body` and `Answer` are names of schemas. */
export interface Operation<Body = string, Answer = string> {
  id: string;
  summary: string;
  description: string;
  parameters?: Parameter[];
  body?: Body;
  /** A body that can be sent as it stands. */
  example?: unknown;
  /** What comes with each status: a schema, or media types. */
  answers: Partial<Record<200 | 201 | 304 | 404, Answer | Media>>;
  shown?: unknown;
  /** Headers of a success beside those of every answer about a room. */
  headers?: string[];
  /** Those of its own; what holds for every path of a room, and for all, is added to the document. */
  errors?: ErrorCode[];
}

/** Operations by path and method. */
export type Operations<Body = string, Answer = string> = Record<
  string,
  Partial<Record<"get" | "post" | "put" | "delete", Operation<Body, Answer>>>
>;

type Schemas = Record<string, z.ZodType>;

/** What the document has of a resource: schemas by their names in it, made when they are first needed, and operations. */
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

/** The names that the query of an operation may hold. */
export function queryNames({ parameters = [] }: Pick<Operation, "parameters">): string[] {
  return parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
}

/** Mounts the operations of one path, each with the query that it describes (`resource`). */
export function serve<All extends Operations, Path extends keyof All & string>(
  app: Hono,
  { operations }: { operations: All },
  path: Path,
  handlers: { [Method in keyof All[Path] & string as Uppercase<Method>]: Handler },
): void {
  const known = Object.entries(operations[path]!).map((
    [method, operation],
  ) => [method.toUpperCase(), queryNames(operation)]);
  resource(app, path.replaceAll(/\{(\w+)\}/g, ":$1"), handlers, Object.fromEntries(known));
}
