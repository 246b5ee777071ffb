import { eachLine } from "../support/lines.ts";

export interface Violation {
  location: string[];
  message: string;
  severity: string;
}

export interface Exchange {
  method: string;
  path: string;
  status: number;
  violations: Violation[];
}

/** Where Prism listens. */
const PRISM = "http://127.0.0.1:4310";

/** Starts Prism from a folder's packages before a service, on the document that stands there. */
async function startPrism(folder: string, service: string) {
  const prism = new Deno.Command(`${folder}/node_modules/.bin/prism`, {
    args: ["proxy", "openapi.json", service, "--port", new URL(PRISM).port],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const listening = Promise.withResolvers<void>();
  const drained = eachLine(prism.stdout, (line) => line.includes("listening on") && listening.resolve());
  await Promise.race([listening.promise, prism.status.then(() => Promise.reject(new Error("Prism ended.")))]);
  return { prism, drained };
}

/** Prism before a service, and a proxy before Prism that takes down what it says of each exchange. */
export async function startRecorder({ service, folder }: { service: string; folder: string }) {
  const { prism, drained } = await startPrism(folder, service);
  const exchanges: Exchange[] = [];

  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { method, signal } = request;
    const { pathname, search } = new URL(request.url);
    const body = request.body === null ? undefined : await request.arrayBuffer();
    const through = isCarried(request, pathname, body);
    const headers = new Headers(request.headers);
    headers.delete("host");
    if (through && body) headers.set("content-type", "application/json"); // it is; callers may say what they like
    const target = `${through ? PRISM : service}${pathname}${search}`;
    const response = await fetch(target, { method, headers, body, redirect: "manual", signal });
    if (through) {
      const told = response.headers.get("sl-violations");
      const violations = told === null ? [] : violationsIn(told);
      exchanges.push({ method, path: pathname + search, status: response.status, violations });
    }
    const answered = new Headers(response.headers);
    for (const name of ["sl-violations", "content-encoding", "content-length"]) answered.delete(name);
    return new Response(response.body, { status: response.status, headers: answered });
  });

  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    exchanges,
    async stop() {
      prism.kill();
      await prism.status;
      await drained;
      await server.shutdown();
    },
  };
}

/** Slashes that do not count to the service. */
const SPARE_SLASHES = /\/\/|.\/$/;

/**
 * What Prism can carry: it ends at paths that do not decode and at deep bodies, counts each slash of a path, reads
 * answers to their end, and passes on what a body that is a text holds in its place.
 */
function isCarried({ method, url }: Request, path: string, body?: ArrayBuffer): boolean {
  if (/\/(events|live|mcp)\b/.test(path) || !["GET", "POST", "PUT", "DELETE"].includes(method)) return false;
  if (SPARE_SLASHES.test(path)) return false;
  try {
    decodeURIComponent(url);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    if (text !== "" && typeof JSON.parse(text) === "string") return false;
    return !/[[{]{200}/.test(text);
  } catch {
    return false;
  }
}

function violationsIn(told: string): Violation[] {
  if (!told.startsWith("[")) {
    const part = told.includes('"location":["response"') ? "response" : "request"; // so many are cut
    return [{ location: [part], message: told.slice(0, 500), severity: "Error" }];
  }
  const list: Violation[] = JSON.parse(told);
  return list.filter(({ severity }) => severity === "Error");
}
