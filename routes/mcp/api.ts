import type { CallToolResult } from "@modelcontextprotocol/server";
import { existingId } from "../http/ids.ts";
import { LIMITS } from "../http/limits.ts";
import type { Fetch } from "../http/paths.ts";
import { inWordsOfTools, type Named } from "./words.ts";

/** What the API answered: its status, its body as text, and as a value. */
export interface Answer {
  ok: boolean;
  text: string;
  body: Record<string, unknown>;
}

/** The API of this service, called as any client would, so that its rules stand in one place. */
export interface Api {
  /**
   * The path's parts are escaped; `query` and `body` leave out what is undefined. What is refused is told in the
   * words of tools.
   */
  call(method: string, parts: Array<string | number>, options?: CallOptions): Promise<Answer>;
  /** State, agents and the counts of messages, at one revision. */
  snapshot(room: string): Promise<Answer>;
  text(path: string): Promise<string>;
}

export interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: Record<string, unknown>;
  /** Under which a write is done once. */
  key?: string;
  /** Where the members of the body stand among the tool's arguments. */
  named?: Named;
  signal?: AbortSignal;
}

/** What a wait for nothing says of itself, before what it includes. */
const TRIGGERED = `"triggered":true,"value":true,"condition":"true",`;

/** The API as the sender of `incoming` would call it. */
export function createApi(fetch: Fetch, incoming: Request, env: unknown): Api {
  const { origin } = new URL(incoming.url);
  const headers = new Headers();
  for (const [name, value] of incoming.headers) {
    if (/^(x-forwarded-|(authorization|forwarded|host)$)/i.test(name)) headers.set(name, value);
  }

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
    const told = () => response.ok ? text : inWordsOfTools(text, named);
    return answerOf(response.ok, withHeaders(response, isWhole ? told() : cut(text)));
  }

  return {
    call,
    async snapshot(room) {
      const { ok, text } = await call("POST", ["rooms", room, "wait"], {
        body: { condition: "true", timeout: 0, include: ["state", "agents", "messages"] },
      });
      return answerOf(ok, text.replace(TRIGGERED, ""));
    },
    text: async (path) => await (await fetch(new Request(new URL(path, origin), { headers }), env)).text(),
  };
}

/** What stands in an address for what can be no id, nor any other name: the API says that there is no such thing. */
const NOTHING = "\u0001";

/** A part of a path. What can be no id would break the path, or lead to another one. */
function segment(part: string | number): string {
  return encodeURIComponent(existingId(String(part)) || NOTHING);
}

/** A parameter's value; half a character would come back as another one. */
function parameter(value: string | number | boolean): string {
  const text = String(value);
  return text.isWellFormed() ? text : NOTHING;
}

/** A key as a header carries it, whatever is in it; what no header can carry as one that is refused. */
function quoted(key: string): string {
  return /^[\x20-\x7e]*$/.test(key) ? `"${key.replaceAll(/[\\"]/g, "\\$&")}"` : '"';
}

/** The body's text as far as a tool may show it. The rest is not read. */
async function beginning(response: Response): Promise<{ text: string; isWhole: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > LIMITS.toolAnswerLength) return { text, isWhole: false };
  }
  return { text, isWhole: true };
}

/** Stands for an answer that is too long for the context of a model: how it begins, as text, and what to ask instead. */
function cut(text: string): string {
  const triggered = /^\{"triggered":(true|false)/.exec(text)?.[1];
  return JSON.stringify({
    ...(triggered && { triggered: triggered === "true" }),
    cut: true,
    hint:
      "The answer is too long to be shown. Ask for less: get_state with a scope or prefix, list_messages with " +
      "limit and after, wait with include state.<scope>, read_room with limit and the same after as before.",
    begins: text.slice(0, LIMITS.toolAnswerLength / 2),
  });
}

/**
 * An agent sees no headers: the revision that it goes on from, where a list was cut, and that a write had been done
 * before, stand in the body.
 */
function withHeaders({ headers }: Response, text: string): string {
  const revision = headers.get("Convene-Revision");
  const more = headers.has("Link") ? `,"more":true` : "";
  const object = text.startsWith("[") ? `{"items":${text}${more}}` : text;
  if (revision === null || object.startsWith(`{"revision":`)) return object;
  const replayed = headers.has("Idempotency-Replayed") && { replayed: true };
  return withMembers({ revision: Number(revision), ...replayed }, object);
}

/** An object's JSON with further members before its own: it may be long, and is not read for their sake. */
export function withMembers(members: Record<string, unknown>, object: string): string {
  const own = object.slice(1);
  return `${JSON.stringify(members).slice(0, -1)}${own === "}" ? "" : ","}${own}`;
}

/** What the API answered, whose body is read only where somebody looks at it. */
export function answerOf(ok: boolean, text: string): Answer {
  let body: Record<string, unknown> | undefined;
  return {
    ok,
    text,
    get body() {
      return body ??= JSON.parse(text);
    },
  };
}

/** An answer as the result of a tool; what the API refused is the tool's error, with code and hint. */
export function toResult({ ok, text }: Answer): CallToolResult {
  return { content: [{ type: "text", text }], ...(!ok && { isError: true }) };
}
