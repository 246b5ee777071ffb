import type { CallToolResult } from "@modelcontextprotocol/server";

export type Fetch = (request: Request, env: unknown) => Promise<Response>;

/** What the API answered: its status, its body as text, and as a value. */
export interface Answer {
  ok: boolean;
  text: string;
  body: Record<string, unknown>;
}

/** The API of this service, called as any client would, so that its rules stand in one place. */
export interface Api {
  /** The path's parts are escaped; `query` and `body` leave out what is undefined. */
  call(method: string, parts: Array<string | number>, options?: CallOptions): Promise<Answer>;
  /** State, agents and the counts of messages, at one revision. */
  snapshot(room: string): Promise<Answer>;
  text(path: string): Promise<string>;
}

export interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: Record<string, unknown>;
  signal?: AbortSignal;
}

/** The API as the sender of `incoming` would call it. */
export function createApi(fetch: Fetch, incoming: Request, env: unknown): Api {
  const { origin } = new URL(incoming.url);
  const headers = new Headers();
  for (const [name, value] of incoming.headers) {
    if (/^(x-forwarded-|host$)/i.test(name)) headers.set(name, value);
  }

  async function call(
    method: string,
    parts: Array<string | number>,
    { query = {}, body, signal }: CallOptions = {},
  ): Promise<Answer> {
    const url = new URL(`/${parts.map((part) => encodeURIComponent(part)).join("/")}`, origin);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const request = new Request(url, {
      method,
      headers,
      body: body && JSON.stringify(body),
      signal: signal && AbortSignal.any([signal, incoming.signal]),
    });
    const response = await fetch(request, env);
    return answerOf(response.ok, withRevision(response, await response.json()));
  }

  return {
    call,
    async snapshot(room) {
      const { ok, body } = await call("POST", ["rooms", room, "wait"], {
        body: { condition: "true", timeout: 0, include: ["state", "agents", "messages"] },
      });
      const { triggered: _triggered, condition: _condition, value: _value, ...seen } = body;
      return answerOf(ok, seen);
    },
    text: async (path) => await (await fetch(new Request(new URL(path, origin), { headers }), env)).text(),
  };
}

/** An agent sees no headers: the revision that it goes on from, and where a list was cut, stand in the body. */
function withRevision(response: Response, body: unknown): Record<string, unknown> {
  const revision = response.headers.get("Convene-Revision");
  const more = response.headers.has("Link");
  const object = Array.isArray(body)
    ? { items: body, ...(more && { more }) }
    : body as Record<string, unknown>;
  return revision === null ? object : { revision: Number(revision), ...object };
}

export function answerOf(ok: boolean, body: Record<string, unknown>): Answer {
  return { ok, body, text: JSON.stringify(body) };
}

/** An answer as the result of a tool; what the API refused is the tool's error, with code and hint. */
export function toResult({ ok, text }: Answer): CallToolResult {
  return { content: [{ type: "text", text }], ...(!ok && { isError: true }) };
}
