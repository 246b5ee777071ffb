import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { DATABASES } from "./databases.ts";
import type { Running } from "./backends.ts";
import { startHere } from "./here.ts";
import { startService } from "./service.ts";

export const HEADERS = {
  "Content-Type": "application/json",
  "Accept": "application/json, text/event-stream",
};

/** The newest revision of the protocol, and what a request of it carries. */
export const NEWEST = "2026-07-28";
export const META = {
  _meta: {
    "io.modelcontextprotocol/protocolVersion": NEWEST,
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  },
};

/** A request of JSON-RPC as text. */
export function message(method: string, params: Record<string, unknown>, id: number | string = 1): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

export interface ClientOptions {
  /** `legacy`: the revision before 2026-07-28. */
  mode?: "auto" | "legacy";
  /** The kind of the database. */
  kind?: string;
  /** The service has a process of its own, as it has for users. */
  apart?: boolean;
}

/** Runs a test with clients of the official library, connected to a service of its own. */
export async function withClient(
  test: (connect: () => Promise<Agent>, service: Running) => Promise<void>,
  { mode = "auto", kind = "file", apart = false }: ClientOptions = {},
) {
  const database = await DATABASES[kind]!();
  const clients: Client[] = [];
  let stop = () => Promise.resolve();
  try {
    const started = apart ? await startService({ database: database.url }) : await startHere(database.url);
    let stopping: Promise<void> | undefined;
    stop = () => stopping ??= started.stop();
    const service = { url: started.url, stop };
    await test(async () => {
      const agent = await connectTo(service.url, mode);
      clients.push(agent.client);
      return agent;
    }, service);
  } finally {
    for (const client of clients) await client.close();
    await stop();
    await database.stop();
  }
}

/** Connects a client to a service. */
export async function connectTo(url: string, mode: "auto" | "legacy" = "auto"): Promise<Agent> {
  const client = new Client({ name: "tests", version: "1" }, { versionNegotiation: { mode } });
  const answers: Response[] = [];
  await client.connect(
    new StreamableHTTPClientTransport(new URL("/mcp", url), {
      async fetch(input, init) {
        const answer = await fetch(input, init);
        answers.push(answer); // Deno aborts no answer that is collected, and the library keeps none
        return answer;
      },
    }),
  );
  return { client, call: (name, args, options) => call(client, name, args, options) };
}

export interface Agent {
  client: Client;
  call: (name: string, args: Record<string, unknown>, options?: CallOptions) => Promise<Outcome>;
}
type CallOptions = NonNullable<Parameters<Client["callTool"]>[1]>;
export interface Outcome {
  failed: boolean;
  // deno-lint-ignore no-explicit-any -- a body is looked into, not typed
  body: any;
  /** It is marked as what others wrote. */
  isFramed: boolean;
  /** What the service itself says. */
  advice?: string;
}

async function call(client: Client, name: string, args: Record<string, unknown>, options?: CallOptions) {
  const { content, isError = false } = await client.callTool({ name, arguments: args }, options);
  const text = textOf(content);
  return {
    failed: isError === true,
    body: JSON.parse(unframed(text)),
    isFramed: unframed(text) !== text,
    advice: adviceIn(text),
  };
}

/** The text of a tool's answer. */
export function textOf(content: Array<{ type: string }>): string {
  assert.equal(content.length, 1);
  assert.equal(content[0]!.type, "text");
  return (content[0] as unknown as { text: string }).text;
}

/** What the service itself says before the frame of an answer. */
export function adviceIn(text: string): string | undefined {
  return /^Convene says: ([^\n]*)\n<data /.exec(text)?.[1];
}

/** What is in the frame of an answer, if it has one. */
export function unframed(text: string): string {
  return /^(?:Convene says: [^\n]*\n)?<data ([0-9a-f]{12})>[^\n]*\n([^\n]*)\n<\/data \1>$/.exec(text)?.[2] ??
    text;
}

/** A test of tools, with a client, over a database of each kind that a test can bring. */
export function overEach(
  name: string,
  test: (connect: () => Promise<Agent>, service: Running) => Promise<void>,
) {
  for (const kind of Object.keys(DATABASES)) {
    Deno.test(`MCP, ${kind}: ${name}`, () => withClient(test, { kind }));
  }
}

/** What a tool refuses: the text that a model reads. */
export async function refusalOf(
  client: Client,
  name: string,
  args: Record<string, unknown>,
): Promise<string> {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const text = textOf(content);
  assert.equal(isError, true, `${name} ${JSON.stringify(args)}: ${text}`);
  return unframed(text);
}
