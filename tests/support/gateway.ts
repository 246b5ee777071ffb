import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What becomes of a request: passed on, passed on and its answer cut off, or answered in place of the service. */
export type Treatment = "pass" | "cut" | Answer;

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

export interface Gateway extends AsyncDisposable {
  /** Its address, whatever becomes of the service behind. */
  url: string;
  /** The service behind; undefined: there is none, and connections break. */
  target: string | undefined;
  /** What is done with each request: the next of these, and "pass" when there is none left. */
  treatments: Treatment[];
  /** What came in, in order. */
  requests: Array<{ method: string; path: string; key: string | undefined; body: string }>;
}

/** Stands before a service, keeps its address while it restarts, and spoils answers where a test wants it. */
export async function startGateway(target?: string): Promise<Gateway> {
  const server = createServer((request, response) => {
    treat(gateway, request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const gateway: Gateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target,
    treatments: [],
    requests: [],
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return gateway;
}

/** Where it throws, the connection breaks. */
async function treat(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url: path = "/" } = request;
  const body = await text(request);
  const key = request.headers["idempotency-key"] as string | undefined;
  gateway.requests.push({ method, path, key, body });

  const treatment = gateway.treatments.shift() ?? "pass";
  if (typeof treatment === "object") {
    response.writeHead(treatment.status, treatment.headers).end(treatment.body);
    return;
  }
  if (gateway.target === undefined) throw new Error("There is no service.");
  const leave = new AbortController();
  response.on("close", () => leave.abort());
  // Not packed: fetch unpacks, and leaves the header that says so.
  const headers = { "Accept-Encoding": "identity", ...(key !== undefined && { "Idempotency-Key": key }) };
  const passed = await fetch(gateway.target + path, {
    method,
    headers,
    body: body === "" ? undefined : body,
    signal: leave.signal,
  });
  if (treatment === "cut") {
    await passed.text();
    throw new Error("The answer is cut off.");
  }
  response.writeHead(passed.status, Object.fromEntries(passed.headers));
  response.flushHeaders();
  for await (const piece of passed.body ?? []) response.write(piece);
  response.end();
}
