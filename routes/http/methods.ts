import type { Context, Handler, Hono } from "hono";
import { runAsTask } from "../../db/yield.ts";
import { RequestError } from "./errors.ts";
import { deeperPath, pathOf, templatesOf } from "./paths.ts";
import { takeQuery } from "./input/queries.ts";

type Method = "GET" | "POST" | "PUT" | "DELETE";

type Handlers = Partial<Record<Method, Handler>>;

/**
 * Mounts the methods of one path with the parameters that the query of each may hold, none unless named; every
 * other method is answered with 405 and `Allow`.
 */
export function resource(
  app: Hono,
  path: string,
  handlers: Handlers,
  parameters: Partial<Record<Method, string[]>> = {},
): void {
  mount(app, path, handlers, (c, method) => takeQuery(c, parameters[method] ?? []));
}

/** `resource` for what people and their tools open by links: parameters that are not `known` pass. */
export function document(app: Hono, path: string, handlers: Handlers, known: string[] = []): void {
  mount(app, path, handlers, (c) => takeQuery(c, known, true));
}

function mount(
  app: Hono,
  path: string,
  handlers: Handlers,
  take: (c: Context, method: Method) => void,
): void {
  const methods = Object.keys(handlers) as Method[];
  const allowed = allowedAt(path, methods);
  const getAlone = !allowed.includes("HEAD");
  for (const method of methods) {
    app.on(method, path, (c, next) => {
      if (getAlone && c.req.raw.method === "HEAD") refuseMethod(app, c, allowed);
      take(c, method);
      return handlers[method]!(c, next);
    });
  }
  app.all(path, (c) => refuseMethod(app, c, allowed));
}

/** Paths whose GET waits or streams, which nobody means by HEAD. */
const GET_ALONE = /\/(?:wait|events|live)$/;

/** What a path at which `methods` are mounted takes in all. */
export function allowedAt(path: string, methods: string[]): string[] {
  const head = methods.includes("GET") && !GET_ALONE.test(path);
  return [...methods.flatMap((method) => method === "GET" && head ? ["GET", "HEAD"] : [method]), "OPTIONS"];
}

/** A handler whose answer may be large (`runAsTask`). Those of single members are not: it costs them more than they do. */
export function large(handle: (c: Context) => Promise<Response>): Handler {
  return (c) => runAsTask(() => handle(c));
}

/** Errors: always `method_not_allowed`. */
function refuseMethod(app: Hono, c: Context, allowed: string[]): never {
  c.header("Allow", allowed.join(", "));
  const deeper = deeperPath(pathOf(c), templatesOf(app));
  throw new RequestError("method_not_allowed", `${c.req.path} does not take ${c.req.method}.`, {
    hint: `It takes ${allowed.join(", ")}.${deeper ? ` ${deeper}` : ""}`,
  });
}
