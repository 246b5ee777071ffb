import type { Context, Hono } from "hono";
import { allowedAt } from "./methods.ts";
import { mountedAt, pathOf } from "./paths.ts";

/** Seconds for which a browser caches the answer: a day, Firefox's maximum. */
const MAX_AGE = 86_400;

/** Request headers that the service reads, and at which paths and methods. Others are allowed and ignored. */
const READ: Array<[name: string, where: (path: string, methods: string[]) => boolean]> = [
  ["Accept", () => true],
  ["Authorization", () => true],
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
 * Answers OPTIONS, a browser's preflight, with the methods of the path, the headers read there, and the headers that
 * the browser asks for. A path that `app` does not have takes GET.
 */
export function createPreflight(app: Hono) {
  return function preflight(c: Context): Response {
    const { template, methods } = mountedAt(app, pathOf(c)) ?? { template: "/", methods: ["GET"] };
    const allowed = allowedAt(template, methods).join(", ");
    const read = READ.filter(([, where]) => where(template, methods)).map(([name]) => name);
    const asked = c.req.header("access-control-request-headers")?.split(",").map((name) => name.trim()) ?? [];
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
