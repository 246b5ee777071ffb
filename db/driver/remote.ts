import type { Client } from "@libsql/client";
import { bound } from "./binding.ts";
import type { Connection } from "./connection.ts";
import { DatabaseUnusable } from "./faults.ts";
import { createStreams, plainly, rowsOf, transact } from "./kept_streams.ts";
import type { Row, Statement } from "./statement.ts";
import { type Cell, openStream, type Post, ServerError, type Stmt } from "./stream.ts";

/** Milliseconds after which a call counts as lost. */
const CALL_DEADLINE_MS = 5_000;

/**
 * Turns foreign keys off, since checking them costs the server a copy of every page (db/messages/coalesced_post.ts).
 * The checks are not needed: each write finds its room in the same statement, and the row of a deleted room goes after
 * all others of it (db/rooms/burial.ts). A server without the setting goes on checking.
 */
const WITHOUT_FOREIGN_KEYS = plainly("PRAGMA foreign_keys = OFF");

/**
 * Connects to a libSQL server by `fetch` alone. The client package opens a stream for each call; kept streams cost the
 * server half as much for reads, and a fifth less for writes. Its requests and rows cost a call 0.1 ms more than these.
 */
export async function connectRemote(url: string, authToken?: string): Promise<Connection> {
  const address = await addressOf(url);
  const token = (address.authToken ?? authToken)?.trim();
  if (!/^[ -~]*$/.test(token ?? "")) {
    throw new DatabaseUnusable(
      "The database's token cannot be sent: it may hold ASCII characters only, in one line.",
    );
  }
  const headers = {
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    ...(token && { Authorization: `Bearer ${token}` }),
  };
  const read: Post = (url, body) => callInTime(url, { method: "POST", headers, body });
  const write: Post = (url, body) => callInTime(url, { method: "POST", headers, body: unrepeatable(body) });
  const readers = createStreams(() => openStream(address.hranaHttpUrl!, read));
  const writers = createStreams(() => openStream(address.hranaHttpUrl!, write, [WITHOUT_FOREIGN_KEYS]));

  // Loaded on demand: few instances need it, and loading it would delay the first answer of each.
  let client: Promise<Client> | undefined;
  const clientOf = () =>
    client ??= import("@libsql/client/web").then(({ createClient }) =>
      createClient({ url, authToken: token, fetch: fetchOnce })
    );

  return {
    async send(statements, mode) {
      const stmts = statements.map(toStmt);
      try {
        if (mode === "write") {
          return await writers.use((stream) => transact(stream, "BEGIN IMMEDIATE", stmts));
        }
        if (stmts.length === 1) return [rowsOf(await readers.use((stream) => stream.execute(stmts[0]!)))];
        return await readers.use((stream) => transact(stream, "BEGIN TRANSACTION READONLY", stmts));
      } catch (error) {
        if (!(mode === "read" ? error instanceof ServerError : appliedNothing(error))) throw error;
        const results = await (await clientOf()).batch(statements.map(bound), mode);
        return results.map(({ rows }) => rows as unknown as Row[]);
      }
    },
    close() {
      for (const each of [readers, writers]) each.close();
      client?.then((opened) => opened.close());
    },
  };
}

/** Takes a server's URL apart. Errors: `DatabaseUnusable`. */
async function addressOf(url: string) {
  const { LibsqlUrlParseError, parseLibsqlUrl } = await import("@libsql/hrana-client");
  try {
    return parseLibsqlUrl(url);
  } catch (error) {
    if (!(error instanceof LibsqlUrlParseError)) throw error;
    throw new DatabaseUnusable(`The database's address cannot be used: ${error.message}`, { cause: error });
  }
}

/**
 * Whether the server answered that it applied nothing: it no longer knows the stream (400), or a statement failed and
 * all were rolled back. Sending again, by the client package, tells which.
 */
function appliedNothing(error: unknown): boolean {
  return error instanceof ServerError && (typeof error.code === "string" || error.status === 400);
}

function toStmt(statement: Statement): Stmt {
  const { sql, args } = bound(statement);
  const named_args = Object.entries(args).map(([name, value]) => ({ name, value: toCell(value) }));
  return { sql, named_args, want_rows: true };
}

function toCell(value: string | number | bigint | null): Cell {
  if (typeof value === "string") return { type: "text", value };
  if (typeof value === "bigint") return { type: "integer", value: String(value) };
  return value === null ? { type: "null" } : { type: "float", value };
}

/**
 * Makes a call and reads its whole answer within the deadline, and leaves nothing running. The answer comes
 * uncompressed: for a near server, compression costs more than sending.
 */
async function callInTime(
  target: string | Request,
  init: RequestInit,
): Promise<{ response: Response; text: string }> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("The call took too long.")), CALL_DEADLINE_MS);
  try {
    const response = await fetch(target, { ...init, signal: controller.signal });
    return { response, text: await response.text() };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Makes a body that can be sent only once. Deno's fetch repeats a request whose reply breaks off, which would apply a
 * batch of writes twice; it cannot repeat a body that is a stream of our own. That of a Response it can: it keeps the
 * text of which the Response was made.
 */
function unrepeatable(body: string | Uint8Array): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(typeof body === "string" ? new TextEncoder().encode(body) : body);
      controller.close();
    },
  });
}

/** Makes a call of the client package. */
async function fetchOnce(request: Request): Promise<Response> {
  request.headers.set("Accept-Encoding", "identity");
  const { response, text } = await callInTime(request, { body: unrepeatable(await request.bytes()) });
  return new Response(text, response);
}
