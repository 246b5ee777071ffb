import type { HttpStream } from "@libsql/hrana-client";
import { batch, bound } from "./binding.ts";
import type { Connection } from "./database.ts";
import type { Row } from "./lane.ts";

/** Milliseconds after which a call counts as lost. */
const CALL_DEADLINE_MS = 5_000;

/** Milliseconds for which a stream is used again. A libSQL server forgets what was idle for 10 s. */
const STREAM_IDLE_MS = 5_000;
const STREAMS_KEPT = 4;

/**
 * Connects to a libSQL server by `fetch` alone. The client opens a stream for each call, for which the server opens
 * its database anew; single reads, which most are, go over streams that are kept: it halves what they cost the server.
 */
export async function connectRemote(url: string, authToken?: string): Promise<Connection> {
  const [{ createClient }, { ClientError, openHttp, parseLibsqlUrl, Stmt }] = await Promise.all([
    import("@libsql/client/web"),
    import("@libsql/hrana-client"),
  ]);
  const client = createClient({ url, authToken, fetch: (request: Request) => inTime(unrepeatable(request)) });
  const address = parseLibsqlUrl(url);
  const streams = openHttp(address.hranaHttpUrl!, address.authToken ?? authToken, inTime);
  const idle: Array<{ stream: HttpStream; since: number }> = [];

  /** A stream that is still known to the server; the freshest is tried, so that the others may go. */
  function takeStream(): HttpStream {
    const kept = idle.pop();
    if (kept && performance.now() - kept.since < STREAM_IDLE_MS) return kept.stream;
    kept?.stream.close();
    for (const { stream } of idle.splice(0)) stream.close();
    return streams.openStream();
  }

  async function readOver(stream: HttpStream, statement: InstanceType<typeof Stmt>): Promise<Row[]> {
    const { rows } = await stream.query(statement);
    if (idle.length < STREAMS_KEPT) idle.push({ stream, since: performance.now() });
    else stream.close();
    return rows as unknown as Row[];
  }

  return {
    async send(statements, mode) {
      if (mode === "write" || statements.length !== 1) return await batch(client, statements, mode);
      const { sql, args } = bound(statements[0]!);
      const statement = new Stmt(sql);
      for (const name in args) statement.bindName(name, args[name]!);
      try {
        return [await readOver(takeStream(), statement)];
      } catch (error) {
        // The server answered, but has lost the stream or objects to the statement: a call of its own tells which.
        if (!(error instanceof ClientError)) throw error;
        return await batch(client, statements, mode);
      }
    },
    close() {
      streams.close();
      client.close();
    },
  };
}

/** A call and its whole answer, which takes no longer than the deadline; nothing of it is left when it has ended. */
async function inTime(request: Request): Promise<Response> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("The call took too long.")), CALL_DEADLINE_MS);
  try {
    const response = await fetch(request, { signal: controller.signal });
    return new Response(await response.text(), response);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Deno's fetch by itself sends a request again whose reply breaks off; a batch of writes would be made twice. It cannot
 * repeat a body that is a stream, which this one becomes by being looked at.
 */
function unrepeatable(request: Request): Request {
  void request.body;
  return request;
}
