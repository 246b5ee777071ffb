import type { Context, Handler, Hono } from "hono";
import { RequestError } from "./errors.ts";

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Mounts the methods of one path; every other is answered with 405 and `Allow`. */
export function resource(app: Hono, path: string, handlers: Partial<Record<Method, Handler>>): void {
  const methods = Object.keys(handlers) as Method[];
  for (const method of methods) app.on(method, path, handlers[method]!);
  const allowed = methods.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]);
  app.all(path, (c) => refuseMethod(c, [...allowed, "OPTIONS"]));
}

/** Errors: always `method_not_allowed`. */
export function refuseMethod(c: Context, allowed: string[]): never {
  c.header("Allow", allowed.join(", "));
  throw new RequestError("method_not_allowed", `${c.req.path} does not take ${c.req.method}.`, {
    hint: `It takes ${allowed.join(", ")}.`,
  });
}
