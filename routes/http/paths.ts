import type { Context, Hono } from "hono";
import { nearest } from "../../cel/language/hints/nearest.ts";

/** The segments of a mounted path; one that begins with a colon matches any. */
type Template = readonly string[];

/** Other words that callers use for our segments, not similar in spelling. */
const MEANT: Record<string, string> = {
  agents: "join register presence members users participants",
  batch: "bulk multi transaction",
  changes: "history log updates diff",
  claim: "next take pull",
  complete: "done finish ack resolve",
  eval: "evaluate query cel expression",
  events: "stream sse subscribe follow watch",
  fail: "reject nack cancel abort",
  healthz: "health ping status ready live livez readyz",
  messages: "chat send post msgs inbox tasks task",
  mcp: "sse modelcontextprotocol",
  "openapi.json": "openapi openapi.yaml openapi.yml swagger swagger.json",
  release: "unclaim giveback giveup abandon",
  renew: "extend prolong keepalive",
  reservations: "reserve",
  state: "kv keys data values store views",
  wait: "poll await",
};

const MEANINGS = new Set(Object.values(MEANT).flatMap((words) => words.split(" ")));

/** What is made of keys, and has no path of its own. */
const PATTERNS = new Set(
  "lock locks mutex barrier barriers vote votes voting leader election semaphore counter counters budget queue turn turns"
    .split(" "),
);

/** Prefixes that other services have. */
const PREFIX = /^(?:api|rest|convene|v\d+)$/i;

/** Segments of a path for which a near one is sought; a longer path is no slip. */
const MAX_SEGMENTS = 10;

/** UTF-16 units of a segment that a hint repeats. */
const SHOWN = 64;

/** Returns the paths of an app, without wildcards and the paths that only pages request. */
export function templatesOf(app: Hono): Template[] {
  const paths = new Set(app.routes.map(({ path }) => path));
  return [...paths].filter((path) => !/\*|^\/assets|\/live\b/.test(path)).map(segmentsOf);
}

/** Returns the template that matches a path, and its methods; undefined if the app has no such path. */
export function mountedAt(app: Hono, path: string): { template: string; methods: string[] } | undefined {
  const segments = segmentsOf(path);
  const template = app.routes.map(({ path }) => path)
    .find((own) => !own.includes("*") && isOf(segments, segmentsOf(own)));
  if (template === undefined) return undefined;
  const there = app.routes.filter(({ path, method }) => path === template && method !== "ALL");
  return { template, methods: there.map(({ method }) => method) };
}

function isOf(segments: Template, own: Template): boolean {
  return own.length === segments.length &&
    own.every((part, i) => part.startsWith(":") || part === segments[i]);
}

/** Answers a request. `env` is what the runtime tells of the connection. */
export type Fetch = (request: Request, env: unknown) => Response | Promise<Response>;

/**
 * Answers at the path without doubled and trailing slashes. Undefined if the path has none, or has dots that a URL
 * would resolve.
 */
export function answerAtPlainPath(c: Context, fetch: Fetch): Response | Promise<Response> | undefined {
  const path = pathOf(c);
  const plain = `/${segmentsOf(path).join("/")}`;
  if (plain === path) return undefined;
  const url = new URL(c.req.url);
  url.pathname = plain;
  return url.pathname === plain ? fetch(new Request(url, c.req.raw), c.env) : undefined;
}

/** The path as it was sent. */
export function pathOf(c: Context): string {
  return /^https?:\/\/[^/]*([^?#]*)/.exec(c.req.url)?.[1] ?? "/";
}

/** Returns a hint for a path at which there is nothing; undefined if no path is near. */
export function nearPath(path: string, method: string, templates: Template[]): string | undefined {
  const segments = segmentsOf(path);
  if (segments.length > MAX_SEGMENTS) return undefined;
  const meant = meantBy(segments, templates);
  return meant === undefined
    ? deeperPath(path, templates) ?? ofKey(segments, method) ?? ofEnding(segments) ?? ofPattern(segments)
    : `Did you mean ${meant}?`;
}

/** Returns a hint for a path that takes a word for an id, as in `/rooms/r/messages/next`; else undefined. */
export function wordInPath(path: string, templates: Template[]): string | undefined {
  const segments = segmentsOf(path);
  if (segments.length > MAX_SEGMENTS) return undefined;
  const isWord = (own: Template) => !own.at(-1)?.startsWith(":") && own.at(-1) !== segments.at(-1);
  const meant = nearestOf(segments, templates.filter(isWord));
  return meant && `Did you mean ${meant}?`;
}

/** Returns a hint for a path whose last word belongs deeper, as in `/rooms/r/claim`; else undefined. */
export function deeperPath(path: string, templates: Template[]): string | undefined {
  const segments = segmentsOf(path);
  const [word, ...above] = segments.toReversed();
  if (word === undefined || above.length === 0 || segments.length > MAX_SEGMENTS) return undefined;
  const begins = above.toReversed();
  if (templates.some((own) => isOf(segments, own) && own.at(-1) === word)) return undefined;
  const template = templates.find((own) =>
    own.length > segments.length && own.at(-1) === word.toLowerCase() &&
    begins.every((segment, i) => own[i]!.startsWith(":") || own[i] === segment)
  );
  const meant = template?.map((own, i) => begins[i] ? shown(begins[i]) : own.replace(/^:(.*)/, "{$1}"));
  return meant && `Did you mean /${meant.join("/")}?`;
}

function meantBy(segments: Template, templates: Template[]): string | undefined {
  const near = nearestOf(segments, templates) ?? withoutLast(segments, templates);
  if (near !== undefined) return near;
  if (PREFIX.test(segments[0] ?? "")) return meantBy(segments.slice(1), templates);
  return nearestOf(["rooms", "{room}", ...segments], templates);
}

/** Returns the path of which these words are all but the last segment, as `/join` of `/join/{code}`. */
function withoutLast(segments: Template, templates: Template[]): string | undefined {
  const template = templates.find((own) =>
    segments.length > 0 && own.length === segments.length + 1 &&
    segments.every((segment, i) => own[i] === segment)
  );
  return template && `/${template.map((own) => own.replace(/^:(.*)/, "{$1}")).join("/")}`;
}

/** Words for what a DELETE does, behind what it ends. */
const ENDINGS: Record<string, string> = {
  agents: "leave quit unregister remove delete",
  reservations: "release end free cancel unreserve delete",
  tokens: "revoke delete",
  invites: "revoke delete",
};

function ofPattern([rooms, room, word = ""]: Template): string | undefined {
  if (rooms !== "rooms" || !PATTERNS.has(word.toLowerCase())) return undefined;
  return `It is made of keys, with PUT /rooms/${shown(room!)}/state: /docs/patterns shows how.`;
}

function ofEnding(segments: Template): string | undefined {
  const [rooms, , part = "", , word = ""] = segments;
  const isEnding = rooms === "rooms" && segments.length === 5 && Object.hasOwn(ENDINGS, part) &&
    ENDINGS[part]!.split(" ").includes(word.toLowerCase());
  return isEnding ? `Did you mean DELETE /${segments.slice(0, -1).map(shown).join("/")}?` : undefined;
}

/** Returns a hint for a key, perhaps with its scope, that stands in the path. */
function ofKey([rooms, room, part, ...names]: Template, method: string): string | undefined {
  if (rooms !== "rooms" || part !== "state" || names.length === 0) return undefined;
  const [scope, key] = names.length === 1 ? [undefined, names[0]!] : [names[0]!, names[1]!];
  const state = `/rooms/${shown(room!)}/state`;
  if (method === "PUT" || method === "POST") return `A key is a member of the body: PUT ${state}`;
  const query = `${scope === undefined ? "" : `scope=${shown(scope)}&`}key=${shown(key)}`;
  return `A key is a parameter, or a member of a body: ${state}?${query}`;
}

/** Returns the near path that differs in the fewest segments. */
function nearestOf(segments: Template, templates: Template[]): string | undefined {
  let best: { path: string; others: number } | undefined;
  for (const template of templates) {
    if (template.length !== segments.length || template.length === 0) continue;
    const fits = template.every((own, i) => own.startsWith(":") || isNear(segments[i]!, own));
    if (!fits) continue;
    const others = template.filter((own, i) => own !== segments[i] && !own.startsWith(":")).length;
    if (best && best.others <= others) continue;
    const path = template.map((own, i) => own.startsWith(":") ? shown(segments[i]!) : own).join("/");
    best = { path: `/${path}`, others };
  }
  return best?.path;
}

function isNear(segment: string, own: string): boolean {
  const said = segment.toLowerCase();
  if (said === own) return true;
  // A word that means one thing may look like another: `unclaim` is no `claim`.
  return MEANINGS.has(said)
    ? Boolean(MEANT[own]?.split(" ").includes(said))
    : nearest(said, [own]) !== undefined;
}

function shown(segment: string): string {
  return segment.length > SHOWN ? `${segment.slice(0, SHOWN)}...` : segment;
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}
