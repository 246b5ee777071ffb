import type { Client } from "@libsql/client";
import type { HttpStream } from "@libsql/hrana-client";
import { batch, bound } from "./binding.ts";
import type { Connection } from "./connection.ts";
import type { Statement } from "./statement.ts";
import { createStreams, query, transact } from "./kept_streams.ts";

/** Milliseconds after which a call counts as lost. */
const CALL_DEADLINE_MS = 5_000;

/**
 * Connects to a libSQL server by `fetch` alone. The client opens a stream for each call; what goes over streams that
 * are kept costs the server half as much for reads, and a fifth less for writes.
 */
export async function connectRemote(url: string, authToken?: string): Promise<Connection> {
  const { BatchCond, ClientError, openHttp, parseLibsqlUrl, Stmt } = await import("@libsql/hrana-client");
  const address = parseLibsqlUrl(url);
  const open = (fetch: (request: Request) => Promise<Response>) =>
    openHttp(address.hranaHttpUrl!, address.authToken ?? authToken, fetch);
  const [reader, writer] = [open(inTime), open(once)];
  const readOver = createStreams(() => reader.openStream());
  const writeOver = createStreams(() => withoutForeignKeys(writer.openStream()));

  // Loaded by the few instances that need it: it would keep the first answer of each waiting.
  let client: Promise<Client> | undefined;
  const clientOf = () =>
    client ??= import("@libsql/client/web").then(({ createClient }) =>
      createClient({ url, authToken, fetch: once })
    );

  function toStmt(statement: Statement): InstanceType<typeof Stmt> {
    const { sql, args } = bound(statement);
    const stmt = new Stmt(sql);
    for (const name in args) stmt.bindName(name, args[name]!);
    return stmt;
  }

  /**
   * True where the server itself has answered that it did nothing: it does not know the stream any more (400), or a
   * statement failed and all are rolled back. A call of its own tells which.
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
        if (stmts.length === 1) return [await readOver((stream) => query(stream, stmts[0]!))];
        return await readOver((stream) => transact(stream, BatchCond, "BEGIN TRANSACTION READONLY", stmts));
      } catch (error) {
        if (!(mode === "read" ? error instanceof ClientError : isRefusal(error))) throw error;
        return await batch(await clientOf(), statements, mode);
      }
    },
    close() {
      for (const each of [reader, writer]) each.close();
      client?.then((opened) => opened.close());
    },
  };
}

/**
 * Each row that is written names a room which its statement has found, and rooms stay. That the server looks again
 * costs it a copy of every page (db/messages/write.ts). One that does not know the setting goes on looking.
 */
function withoutForeignKeys(stream: HttpStream): HttpStream {
  stream.run("PRAGMA foreign_keys = OFF").catch(() => {});
  return stream;
}

/**
 * A call and its whole answer, which takes no longer than the deadline; nothing of it is left when it has ended.
 * The answer comes as it is: to a near server, packing and unpacking it costs more than to send it.
 */
async function inTime(request: Request, init?: RequestInit): Promise<Response> {
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
 * A call that is made once. Deno's fetch by itself sends a request again whose reply breaks off; a batch of writes
 * would be made twice. It cannot repeat a body that is a stream.
 */
async function once(request: Request): Promise<Response> {
  const bytes = await request.bytes();
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return await inTime(request, { body });
}
