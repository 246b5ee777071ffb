import { assertDocumented } from "./documented.ts";

// deno-lint-ignore no-explicit-any -- what a service answers has no type until it was looked at
export type Json = any;

export interface Reply {
  url: string;
  status: number;
  headers: Headers;
  text: string;
  /** The body read as JSON, or undefined when it is none. */
  body: Json;
  /** The room's revision that the answer reflects, or undefined when it names none. */
  revision: number | undefined;
}

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  raw?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export class Client {
  constructor(readonly url: string) {}

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const json = options.raw === undefined && options.body !== undefined;
    const response = await fetch(new URL(path, this.url), {
      method,
      body: json ? JSON.stringify(options.body) : options.raw,
      headers: json ? { "content-type": "application/json", ...options.headers } : options.headers,
      signal: options.signal,
    });
    const text = await response.text();
    const revision = response.headers.get("convene-revision");
    const reply = {
      url: response.url,
      status: response.status,
      headers: response.headers,
      text,
      body: parsed(text),
      revision: revision === null ? undefined : Number(revision),
    };
    assertDocumented(method, reply);
    return reply;
  }

  get(path: string, query: Record<string, string | number> = {}): Promise<Reply> {
    const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    return this.request("GET", search.size ? `${path}?${search}` : path);
  }

  post(path: string, body?: unknown): Promise<Reply> {
    return this.request("POST", path, { body });
  }

  put(path: string, body?: unknown): Promise<Reply> {
    return this.request("PUT", path, { body });
  }

  delete(path: string, body?: unknown): Promise<Reply> {
    return this.request("DELETE", path, { body });
  }

  /** The address of the next page, if the answer names one. */
  static next(reply: Reply): string | undefined {
    const address = /<([^>]*)>\s*;\s*rel="next"/.exec(reply.headers.get("link") ?? "")?.[1];
    return address === undefined ? undefined : new URL(address, reply.url).href;
  }

  /** Every page of a list, from the first to the last. */
  async pages(path: string, most = 100): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (let next: string | undefined = path; next; next = Client.next(replies.at(-1)!)) {
      if (replies.length === most) throw new Error(`More than ${most} pages of ${path}`);
      replies.push(await this.get(next));
    }
    return replies;
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
