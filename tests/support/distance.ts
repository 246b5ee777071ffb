export interface Distance {
  url: string;
  /** How many requests have been sent to the database. */
  readonly asked: number;
  stop(): Promise<void>;
}

/** Puts a libSQL server further away: `ms` pass on the way there, and again on the way back. */
export function startDistance(target: string, ms = 0): Distance {
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    asked++;
    const { pathname, search } = new URL(request.url);
    const body = request.body && await request.bytes();
    await pass(ms);
    const response = await fetch(target + pathname + search, {
      method: request.method,
      headers: request.headers,
      body,
    });
    const answer = await response.bytes();
    await pass(ms);
    const headers = { "content-type": response.headers.get("content-type") ?? "" };
    return new Response(answer, { status: response.status, headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    get asked() {
      return asked;
    },
    stop: () => server.shutdown(),
  };
}

function pass(ms: number): Promise<void> | undefined {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}
