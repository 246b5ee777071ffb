import { sum } from "./statistics.ts";

/** A way to a libSQL server on which everything that passes is counted. */
export interface CountingProxy {
  url: string;
  /** What has passed so far. */
  counts(): { requests: number; statements: number; rowsRead: number; rowsWritten: number };
}

interface Pipeline {
  requests: { batch?: { steps: { stmt: { sql: string } }[] }; stmt?: unknown }[];
}

/** Stands before the server `target`; ended by the stack. */
export function startCountingProxy(stack: AsyncDisposableStack, target: string): CountingProxy {
  let requests = 0;
  let statements = 0;
  let rowsRead = 0;
  let rowsWritten = 0;
  const onListen = () => {};
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async (request) => {
    const body = request.body && await request.text();
    requests++;
    statements += body ? statementsOf(JSON.parse(body)) : 0;
    const { pathname, search } = new URL(request.url);
    const response = await fetch(target + pathname + search, {
      method: request.method,
      headers: request.headers,
      body,
    });
    const headers = { "content-type": response.headers.get("content-type") ?? "" };
    const answer = await response.text();
    rowsRead += total(answer, /"rows_read":(\d+)/g);
    rowsWritten += total(answer, /"rows_written":(\d+)/g);
    return new Response(answer, { status: response.status, headers });
  });
  stack.defer(() => server.shutdown());
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    counts: () => ({ requests, statements, rowsRead, rowsWritten }),
  };
}

/** The sum of a member of the server's statistics; within stored texts its quotes would be escaped. */
function total(answer: string, member: RegExp): number {
  return sum([...answer.matchAll(member)].map(([, count]) => Number(count)));
}

/** The statements of a request, without those that only begin and end its transaction. */
function statementsOf({ requests }: Pipeline): number {
  let count = 0;
  for (const { batch, stmt } of requests) {
    if (stmt) count++;
    for (const step of batch?.steps ?? []) if (!/^(BEGIN|COMMIT|ROLLBACK)/.test(step.stmt.sql)) count++;
  }
  return count;
}
