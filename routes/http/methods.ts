import type { Context, Handler, Hono } from "hono";
import { runAsTask } from "../../db/yield.ts";
import { RequestError } from "./errors.ts";
import { deeperPath, pathOf, templatesOf, wordInPath } from "./paths.ts";
import { takeQuery } from "./input/queries.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

type Handlers = Partial<Record<Method, Handler>>;

/** Mounts the methods of a path, each with the names of its query parameters; others are answered with 405 and `Allow`. */
export function resource(
  app: Hono,
  path: string,
  handlers: Handlers,
  parameters: Partial<Record<Method, string[]>> = {},
): void {
  mount(app, path, handlers, (c, method) => takeQuery(c, parameters[method] ?? []));
}

/** Like `resource`, for what people open by links: ignores parameters that are not `known`. */
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

/** Paths whose GET waits or streams, and that take no HEAD. */
const GET_ALONE = /\/(?:wait|events|live)$/;

export function allowedAt(path: string, methods: string[]): string[] {
  const head = methods.includes("GET") && !GET_ALONE.test(path);
  return [...methods.flatMap((method) => method === "GET" && head ? ["GET", "HEAD"] : [method]), "OPTIONS"];
}

/** Runs a handler with a possibly large answer as a task. For a small answer that costs more than the handler. */
export function large(handle: (c: Context) => Promise<Response>): Handler {
  return (c) => runAsTask(() => handle(c));
}

function roomInPath({ req: { method, path } }: Context): string | undefined {
  const makes = ["POST", "PUT"].includes(method) && /^\/rooms\/[^/]+$/.test(path);
  return makes ? "POST /rooms makes a room, by the `id` in its body." : undefined;
}

/** What to send instead of a change to what is there, by the resource. */
const CHANGES: Array<[path: RegExp, methods: RegExp, hint: (path: string) => string]> = [
  [/^\/rooms\/[^/]+\/state$/, /POST|PATCH/, (path) => `PUT writes a key, PUT ${path}/batch several.`],
  [
    /^\/rooms\/[^/]+\/agents\/[^/]+$/,
    /POST|PUT|PATCH/,
    (path) => `POST ${above(path)} updates its name, role and meta, POST ${path}/heartbeat its status.`,
  ],
  [
    /^\/rooms\/[^/]+\/messages\/[^/]+$/,
    /POST|PUT|PATCH|DELETE/,
    (path) => `A message stays as it was posted. POST ${path}/fail withdraws a task.`,
  ],
];

const above = (path: string) => path.replace(/\/[^/]*$/, "");

function changeMeant({ req: { method, path } }: Context): string | undefined {
  if (path.length > SHOWN) return undefined;
  return CHANGES.find(([own, methods]) => own.test(path) && methods.test(method))?.[2](path);
}

/** UTF-16 units of a path that a hint repeats. */
const SHOWN = 256;

function refuseMethod(app: Hono, c: Context, allowed: string[]): never {
  c.header("Allow", allowed.join(", "));
  const [path, templates] = [pathOf(c), templatesOf(app)];
  const meant = deeperPath(path, templates) ?? wordInPath(path, templates) ?? roomInPath(c) ?? changeMeant(c);
  throw new RequestError("method_not_allowed", `${c.req.path} does not take ${c.req.method}.`, {
    hint: `It takes ${allowed.join(", ")}.${meant ? ` ${meant}` : ""}`,
  });
}
