import { addressOf } from "./address.ts";
import { Attempt } from "./attempt.ts";
import { parsed, readText } from "./body.ts";
import { badAnswer, errorOf } from "./errors.ts";
import { textOf } from "./json.ts";
import { retried } from "./retry.ts";

/** The maximum milliseconds of an attempt: the service answers within 10 seconds. */
const ANSWER = 15_000;

export interface ConnectOptions {
  /** Milliseconds for which a request is retried while the service is away. Default: 30,000. */
  patience?: number;
  /**
   * A token of the room, sent with every request. No error shows it. Without one, the rights are those of everybody.
   */
  token?: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Sends the requests. Default: the platform's `fetch`. */
  fetch?: typeof fetch;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call, which rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface Call extends CallOptions {
  /** The maximum milliseconds of one attempt. */
  within?: number;
  /** Milliseconds for which it is retried. */
  patience?: number;
}

/** Options of a call by an agent. */
export interface Actor extends CallOptions {
  /** Default: the `Room`'s agent. */
  agent?: string;
}

export interface Answer<T> {
  body: T;
  headers: Headers;
  /** The room's revision that the answer reflects. */
  revision: number;
}

export type Query = Record<string, string | number | boolean | undefined>;

/** Sends requests, and retries them while the service is away. A write takes effect once, however often it is sent. */
export class Connection {
  readonly url: string;
  readonly options: Omit<ConnectOptions, "token">;
  readonly #token: string | undefined;

  /** Errors: `TypeError` for an address, headers or a token that `fetch` refuses. */
  constructor(url: string, { token, ...options }: ConnectOptions = {}) {
    this.url = addressOf(url, options.headers);
    this.options = options;
    this.#token = tokenIn(token);
  }

  /** The token that is sent with every request. */
  get token(): string | undefined {
    return this.#token;
  }

  /** The same with another token. Errors: `TypeError` for one that `fetch` refuses. */
  with(token: string): Connection {
    return new Connection(this.url, { ...this.options, token });
  }

  get<T>(path: string, query: Query = {}, call: Call = {}): Promise<Answer<T>> {
    return this.#tried("GET", this.address(path, query), {}, call);
  }

  async list<T>(path: string, query: Query = {}, call: Call = {}): Promise<Answer<T[]>> {
    return await this.#tried("GET", this.address(path, query), { list: true }, call);
  }

  /** Sends a POST that changes nothing. */
  ask<T>(path: string, body: unknown, call: Call = {}): Promise<Answer<T>> {
    return this.#tried("POST", this.address(path), { body: textOf(body) }, call);
  }

  /** Sends a write. All its attempts carry one idempotency key, so that the service applies it once. */
  write<T>(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body: unknown,
    call: Call = {},
  ): Promise<Answer<T>> {
    return this.#tried(method, this.address(path), { body: textOf(body), key: newKey() }, call);
  }

  /** Opens a stream. Errors are those of other requests, but nothing is retried. */
  async open(path: string, query: Query, attempt: Attempt): Promise<Response> {
    attempt.within(ANSWER);
    const response = await this.#fetch("GET", this.address(path, query), {}, attempt);
    if (!response.ok) throw errorOf(response, await readText(response, attempt));
    if (response.headers.get("Content-Type")?.startsWith("text/event-stream")) return response;
    throw badAnswer("The answer is no stream of events.");
  }

  address(path: string, query: Query = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    // The service takes an empty parameter as absent, and would answer with a list.
    const empty = given.find(([, value]) => value === "");
    if (empty) throw new TypeError(`${empty[0]} must not be empty: leave it out.`);
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return `${this.url}${path}${search.size ? `?${search}` : ""}`;
  }

  /** Milliseconds for which a request is retried. */
  get patience(): number {
    return this.options.patience ?? 30_000;
  }

  #tried<T>(method: string, address: string, sent: Sent, call: Call): Promise<Answer<T>> {
    const { patience = this.patience, signal } = call;
    return retried(() => this.#once<T>(method, address, sent, call), { patience, signal });
  }

  async #once<T>(method: string, address: string, sent: Sent, call: Call): Promise<Answer<T>> {
    const attempt = new Attempt(call.signal);
    attempt.within(call.within ?? ANSWER);
    try {
      const response = await this.#fetch(method, address, sent, attempt);
      const text = await readText(response, attempt);
      if (!response.ok) throw errorOf(response, text);
      const revision = Number(response.headers.get("Convene-Revision") ?? 0);
      return { body: parsed<T>(text, sent.list), headers: response.headers, revision };
    } finally {
      attempt.end();
    }
  }

  #fetch(method: string, address: string, { body, key }: Sent, attempt: Attempt): Promise<Response> {
    const headers: Record<string, string> = { ...this.options.headers };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key !== undefined) headers["Idempotency-Key"] = key;
    if (this.#token !== undefined) headers.Authorization = `Bearer ${this.#token}`;
    const send = this.options.fetch ?? fetch;
    // Behind a redirect `fetch` drops the token, and makes a write a read: both would go unseen.
    const redirect = "manual";
    return attempt.answers(send(address, { method, headers, body, redirect, signal: attempt.signal }));
  }
}

/** The operator's token: any text of 32 characters or more. */
const OF_OPERATOR = /^[!-~][ -~]{30,}[!-~]$/;

/** Checks a token. The error does not show it. */
function tokenIn(token: string | undefined): string | undefined {
  if (token !== undefined && !/^[!-~]+$/.test(token) && !OF_OPERATOR.test(token)) {
    throw new TypeError("The token is none: it has letters, digits and _ alone, as the service gave it.");
  }
  return token;
}

interface Sent {
  body?: string;
  key?: string;
  /** The answer is a list. */
  list?: boolean;
}

/** 128 random bits in hexadecimal. Pages without https have no `crypto.randomUUID`. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
