import type { CallToolResult, McpServer, ServerContext, ToolAnnotations } from "@modelcontextprotocol/server";
import type { z } from "zod";
import type { Fetch } from "../http/paths.ts";
import { type Answer, type Api, createApi } from "./api.ts";
import { type Arguments, type Given, schemaOf } from "./arguments.ts";
import { advised, framed } from "./frame.ts";
import { shorten } from "./shorten.ts";
import { createWaitFor, type Waited, type Waiting } from "./waiting.ts";
import { adviceOn } from "./words.ts";

/** What a tool acts with: the API, on behalf of whoever calls it. */
export interface Call {
  api: Api;
  waitFor(waited: Waited): Promise<Answer>;
  /** A token of a room is shown. */
  isHolder: boolean;
}

interface Tool<Shape extends z.ZodRawShape> extends Arguments<Shape> {
  description: string;
  annotations: ToolAnnotations;
  /** Returns the agent that makes a call, which has abandoned its waits. By default the argument `agent`. */
  callerOf?(given: Given<Shape>): string | undefined;
  /** Whether a success of these arguments has no text but theirs. By default it may have text of others. */
  isOwn?(given: Given<Shape>): boolean;
  /** Words the calls that show the rest of an answer that is cut. */
  rest: string | ((given: Given<Shape>) => string);
  act(given: Given<Shape>, call: Call): Promise<Answer>;
}

export interface Tools {
  register<Shape extends z.ZodRawShape>(name: string, tool: Tool<Shape>): void;
}

/** What is known of tokens by their hashes. */
export interface Tokens {
  /** Whether this instance has seen it in force. */
  isKnown(hash: string): boolean;
  hashOf(token: string): string;
  /** Whether it is of a room: the operator's is of none, and makes rooms. */
  isOfRoom(hash: string): boolean;
  /** Errors: `unauthenticated` if it is not in force in any room. */
  assertInForce(hash: string): Promise<void>;
}

/** A request of the protocol, with what is behind its tools. */
export interface Incoming extends Omit<Waiting, "holder"> {
  fetch: Fetch;
  env: unknown;
  sent: Request;
  /** The hash of the token in its header. */
  shown: string | undefined;
  tokens: Tokens;
  /** Called when the API refuses that token, or finds no room for it. */
  refused(): void;
  /** Names the frame of an answer. */
  newFrame(): string;
}

/** Registers tools at a server. Each acts under the token of its call, else under that of the request. */
export function createTools(server: McpServer, incoming: Incoming): Tools {
  const { fetch, env, sent, shown, tokens, refused, endings, newFrame } = incoming;
  const isOfRoom = (holder?: string) => holder !== undefined && tokens.isOfRoom(holder);

  return {
    register<Shape extends z.ZodRawShape>(name: string, tool: Tool<Shape>) {
      const { description, annotations, callerOf, rest, isOwn, act } = tool;
      const inputSchema = schemaOf(tool, isOfRoom(shown));

      async function call(read: unknown, context: unknown): Promise<CallToolResult> {
        const { token, ...others } = read as Given<Shape> & { token?: string };
        const given = others as unknown as Given<Shape>;
        const holder = token === undefined ? shown : tokens.hashOf(token);
        const { room, agent } = given as { room?: string; agent?: string };
        endings.called({ room, agent: callerOf ? callerOf(given) : agent, holder, sent });
        const words = typeof rest === "string" ? rest : rest(given);
        const waitFor = createWaitFor({ ...incoming, holder });
        const answer = await act(given, {
          api: createApi(fetch, { incoming: sent, env, token, rest: words }),
          waitFor: (waited) => waitFor(waited, context as ServerContext),
          isHolder: isOfRoom(holder),
        });
        if (token === undefined && shown !== undefined && isRefused(answer)) refused();
        return await resultOf(answer, words, answer.ok && isOwn?.(given) ? undefined : newFrame());
      }

      server.registerTool(name, { description, inputSchema, annotations }, call);
    },
  };
}

function isRefused({ ok, body }: Answer): boolean {
  return !ok && ["unauthenticated", "room_not_found"].includes(String(body.error));
}

/** Converts an answer to a tool's result; a refusal becomes the tool's error, with code and hint. */
async function resultOf(answer: Answer, rest: string, frame?: string): Promise<CallToolResult> {
  const { ok, text, advice = ok ? undefined : adviceOn(answer.body) } = answer;
  const short = await shorten(text, rest);
  const whole = frame === undefined ? short : framed(short, frame);
  const shown = advice === undefined ? whole : advised(advice, whole);
  return { content: [{ type: "text", text: shown }], ...(!ok && { isError: true }) };
}
