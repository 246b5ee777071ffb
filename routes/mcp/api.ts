import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { existingId } from "../http/ids.ts";
import { LIMITS } from "../http/limits.ts";
import type { Fetch } from "../http/paths.ts";
import { isShort, onlyBeginning } from "./shorten.ts";
import { inWordsOfTools, type Named } from "./words.ts";

/** An answer of the API: whether it is a success, its body as text and as a value. */
export interface Answer {
  ok: boolean;
  text: string;
  /** Only its beginning was read, and the text says so. */
  isCut: boolean;
  body: Record<string, unknown>;
  /** What the service itself says of it: no text of others. */
  advice?: string;
}

/** Calls the API of this service as any client would, so that its rules stand in one place. */
export interface Api {
  /** Escapes the path's parts; omits what is undefined of `query` and `body`. Words refusals for tools. */
  call(method: string, parts: Array<string | number>, options?: CallOptions): Promise<Answer>;
  /** Reads state, agents and the counts of messages at one revision. */
  snapshot(room: string): Promise<Answer>;
  /** Asks for a list of at most `limit` items, or by default; for fewer, until a model's context holds the answer. */
  list(ask: (limit?: number) => Promise<Answer>, limit?: number): Promise<Answer>;
  text(path: string): Promise<string>;
  /** The same under another token. */
  under(token: string): Api;
}

/** On whose behalf the API is called. */
interface Caller {
  /** The request that brought the call, whose token counts where there is no other. */
  incoming: Request;
  env: unknown;
  token?: string;
  /** Words the calls that show the rest of an answer that is cut. */
  rest: string;
}

interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: Record<string, unknown>;
  /** The write's Idempotency-Key. */
  key?: string;
  /** Maps paths in the body to paths in the tool's arguments. */
  named?: Named;
  signal?: AbortSignal;
}

/** The members of a wait for `true` before what it includes. */
const TRIGGERED = `"triggered":true,"value":true,"condition":"true",`;

export function createApi(fetch: Fetch, { incoming, env, token, rest }: Caller): Api {
  const { origin } = new URL(incoming.url);
  const headers = new Headers();
  for (const [name, value] of incoming.headers) {
    if (/^(x-forwarded-|(authorization|forwarded|host)$)/i.test(name)) headers.set(name, value);
  }
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);

  async function call(
    method: string,
    parts: Array<string | number>,
    { query = {}, body, key, named, signal }: CallOptions = {},
  ): Promise<Answer> {
    const url = new URL(`/${parts.map(segment).join("/")}`, origin);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, parameter(value));
    }
    const request = new Request(url, {
      method,
      headers: key === undefined ? headers : [...headers, ["Idempotency-Key", quoted(key)]],
      body: body && JSON.stringify(body),
      signal: signal && AbortSignal.any([signal, incoming.signal]),
    });
    const response = await fetch(request, env);
    const { text, isWhole } = await beginning(response);
    if (isBusy()) await yieldToOthers();
    const told = () => response.ok ? text : inWordsOfTools(text, named);
    return answerOf(response.ok, withHeaders(response, isWhole ? told() : cut(text, rest)), !isWhole);
  }

  return {
    call,
    async snapshot(room) {
      const { ok, text, isCut } = await call("POST", ["rooms", room, "wait"], {
        body: { condition: "true", timeout: 0, include: ["state", "agents", "messages"] },
      });
      return answerOf(ok, text.replace(TRIGGERED, ""), isCut);
    },
    async list(ask, limit) {
      for (let max = limit;; max = Math.ceil((max ?? LIMITS.listDefault) / FEWER)) {
        const answer = await ask(max);
        if (isBusy()) await yieldToOthers();
        const isFit = !answer.isCut && isShort(answer.text);
        if (!answer.ok || isFit && max === limit) return answer;
        if (isFit || max === 1) return withMember(answer, { hint: `Only ${max} at a time fit. ${rest}` });
      }
    },
    under: (token) => createApi(fetch, { incoming, env, token, rest }),
    text: async (path) => await (await fetch(new Request(new URL(path, origin), { headers }), env)).text(),
  };
}

/** A list that is too long is asked for again with so many times fewer items. */
const FEWER = 4;

/** Stands in a URL for an impossible id or name: the API answers that it does not exist. */
const NOTHING = "\u0001";

/** Escapes a part of a path. An impossible id would break the path, or lead to another one. */
function segment(part: string | number): string {
  return encodeURIComponent(existingId(String(part)) || NOTHING);
}

/** Converts a parameter's value. A lone surrogate would become another character. */
function parameter(value: string | number | boolean): string {
  const text = String(value);
  return text.isWellFormed() ? text : NOTHING;
}

/** Quotes a key for a header. A key that no header can hold becomes one that the API refuses. */
function quoted(key: string): string {
  return /^[\x20-\x7e]*$/.test(key) ? `"${key.replaceAll(/[\\"]/g, "\\$&")}"` : '"';
}

async function beginning(response: Response): Promise<{ text: string; isWhole: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > LIMITS.toolReadLength) return { text, isWhole: false };
  }
  return { text, isWhole: true };
}

/** Words an answer of which only the beginning was read. */
function cut(text: string, rest: string): string {
  const triggered = /^\{"triggered":(true|false)/.exec(text)?.[1];
  const json = onlyBeginning(text, rest);
  return triggered === undefined ? json : withMembers({ triggered: triggered === "true" }, json);
}

/**
 * Adds to the body what an agent, which sees no headers, needs of them: the revision, whether a list goes on, and
 * whether a write was replayed.
 */
function withHeaders({ headers }: Response, text: string): string {
  const revision = headers.get("Convene-Revision");
  const more = headers.has("Link") ? `,"more":true` : "";
  const object = text.startsWith("[") ? `{"items":${text}${more}}` : text;
  if (revision === null || object.startsWith(`{"revision":`)) return object;
  const replayed = headers.has("Idempotency-Replayed") && { replayed: true };
  return withMembers({ revision: Number(revision), ...replayed }, object);
}

/** Puts members before those of an object's JSON, which may be long and is not parsed. */
export function withMembers(members: Record<string, unknown>, object: string): string {
  const own = object.slice(1);
  return `${JSON.stringify(members).slice(0, -1)}${own === "}" ? "" : ","}${own}`;
}

/** The same of an answer, after those of its body. */
export function withMember(answer: Answer, members: Record<string, unknown>): Answer {
  return answerOf(answer.ok, JSON.stringify({ ...answer.body, ...members }), answer.isCut);
}

/** Makes an answer that parses its body on first use. */
export function answerOf(ok: boolean, text: string, isCut = false, advice?: string): Answer {
  let body: Record<string, unknown> | undefined;
  return {
    ok,
    text,
    isCut,
    advice,
    get body() {
      return body ??= JSON.parse(text);
    },
  };
}
