import type { Client, Reply } from "./client.ts";

/** The operator's token of a service that is started with one. */
export const OPERATOR = "the operator's own token of 32 letters";

/** The header that shows a token. */
export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** Requests with a token. */
export function holding(t: Client, token: string) {
  const ask = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> => t.request(method, path, { body, headers: { ...bearer(token), ...headers } });
  return {
    token,
    ask,
    get: (path: string) => ask("GET", path),
    post: (path: string, body?: unknown) => ask("POST", path, body),
    put: (path: string, body?: unknown) => ask("PUT", path, body),
  };
}
