import type { Client } from "@libsql/client";
import type { HttpStream } from "@libsql/hrana-client";
import { bound } from "./binding.ts";
import type { Connection } from "./connection.ts";
import type { Statement } from "./statement.ts";
import { createStreams, rowsOf, transact } from "./kept_streams.ts";

/** Milliseconds after which a call counts as lost. */
const CALL_DEADLINE_MS = 5_000;

/**
 * Connects to a libSQL server by `fetch` alone. The client package opens a stream for each call; kept streams cost the
 * server half as much for reads, and a fifth less for writes.
 */
export async function connectRemote(url: string, authToken?: string): Promise<Connection> {
  const { BatchCond, ClientError, openHttp, parseLibsqlUrl, Stmt } = await import("@libsql/hrana-client");
  const address = parseLibsqlUrl(url);
  const open = (fetch: (request: Request) => Promise<Response>) =>
    openHttp(address.hranaHttpUrl!, address.authToken ?? authToken, fetch);
  const [reader, writer] = [open(fetchInTime), open(fetchOnce)];
  const readOver = createStreams(() => reader.openStream());
  const writeOver = createStreams(() => withoutForeignKeys(writer.openStream()));

  // Loaded on demand: few instances need it, and loading it would delay the first answer of each.
  let client: Promise<Client> | undefined;
  const clientOf = () =>
    client ??= import("@libsql/client/web").then(({ createClient }) =>
      createClient({ url, authToken, fetch: fetchOnce })
    );

  function toStmt(statement: Statement): InstanceType<typeof Stmt> {
    const { sql, args } = bound(statement);
    const stmt = new Stmt(sql);
    for (const name in args) stmt.bindName(name, args[name]!);
    return stmt;
  }

  /**
   * True where the server answered that it applied nothing: it no longer knows the stream (400), or a statement failed
   * and all were rolled back. Sending again by the client package tells which.
   */
  function isRefusal(error: unknown): boolean {
    const { code, status } = error as { code?: unknown; status?: unknown };
    return error instanceof ClientError && (typeof code === "string" || status === 400);
  }

  return {
    async send(statements, mode) {
      const stmts = statements.map(toStmt);
      try {
        if (mode === "write") {
          return await writeOver((stream) => transact(stream, BatchCond, "BEGIN IMMEDIATE", stmts));
        }
        if (stmts.length === 1) return [rowsOf(await readOver((stream) => stream.query(stmts[0]!)))];
        return await readOver((stream) => transact(stream, BatchCond, "BEGIN TRANSACTION READONLY", stmts));
      } catch (error) {
        if (!(mode === "read" ? error instanceof ClientError : isRefusal(error))) throw error;
        return (await (await clientOf()).batch(statements.map(bound), mode)).map(rowsOf);
      }
    },
    close() {
      for (const each of [reader, writer]) each.close();
      client?.then((opened) => opened.close());
    },
  };
}

/**
 * Turns foreign keys off, whose check costs the server a copy of every page (db/messages/write.ts). It is not needed:
 * each write finds its room in the same statement, and rooms stay. A server without the setting goes on checking.
 */
function withoutForeignKeys(stream: HttpStream): HttpStream {
  stream.run("PRAGMA foreign_keys = OFF").catch(() => {});
  return stream;
}

/**
 * Makes a call and reads its whole answer within the deadline, and leaves nothing running. The answer comes
 * uncompressed: for a near server, compression costs more than sending.
 */
async function fetchInTime(request: Request, init?: RequestInit): Promise<Response> {
  request.headers.set("Accept-Encoding", "identity");
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("The call took too long.")), CALL_DEADLINE_MS);
  try {
    const response = await fetch(request, { ...init, signal: controller.signal });
    return new Response(await response.text(), response);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Makes a call once. Deno's fetch repeats a request whose reply breaks off, which would apply a batch of writes twice;
 * it cannot repeat a body that is a stream.
 */
async function fetchOnce(request: Request): Promise<Response> {
  const bytes = await request.bytes();
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return await fetchInTime(request, { body });
}
