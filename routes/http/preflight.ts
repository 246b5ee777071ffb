import type { Context, Hono } from "hono";
import { allowedAt } from "./methods.ts";
import { mountedAt, pathOf } from "./paths.ts";

/** Seconds for which a browser remembers: a day, which Firefox takes at the most. */
const MAX_AGE = 86_400;

/** Request headers that are read, and at which paths and methods. Others pass, and change nothing. */
const READ: Array<[name: string, where: (path: string, methods: string[]) => boolean]> = [
  ["Accept", () => true],
  ["Content-Type", (_, methods) => methods.some((method) => method !== "GET")],
  [
    "Idempotency-Key",
    (path, methods) => !/\/(?:wait|eval|mcp)$/.test(path) && methods.some((method) => method !== "GET"),
  ],
  ["If-Match", (path) => path.endsWith("/state")],
  ["If-None-Match", (path) => /^\/(?:rooms\/:room)?$|\/state$/.test(path)],
  ["Last-Event-ID", (path) => /\/(?:events|live)$/.test(path)],
  ["traceparent", () => true],
];

/**
 * Answers OPTIONS, by which a browser asks beforehand whether it may call from another origin: the methods that the
 * path takes, and the headers that are read there, with those that it asks for. `app` knows the paths of the API; all
 * others are read.
 */
export function createPreflight(app: Hono) {
  return function preflight(c: Context): Response {
    const { template, methods } = mountedAt(app, pathOf(c)) ?? { template: "/", methods: ["GET"] };
    const allowed = allowedAt(template, methods).join(", ");
    const read = READ.filter(([, where]) => where(template, methods)).map(([name]) => name);
    const asked = c.req.header("Access-Control-Request-Headers")?.split(",").map((name) => name.trim()) ?? [];
    const others = asked.filter((name) => !read.some((own) => own.toLowerCase() === name.toLowerCase()));
    return c.body(null, 204, {
      "Allow": allowed,
      "Access-Control-Allow-Methods": allowed,
      "Access-Control-Allow-Headers": [...read, ...others].join(", "),
      "Access-Control-Max-Age": String(MAX_AGE),
      "Vary": "Access-Control-Request-Headers",
    });
  };
}
