import { z } from "zod";
import { MISSING } from "../http/input/wordings.ts";
import { ADDS_ONCE } from "./annotations.ts";
import { type Answer, answerOf, type Api, withMember, withMembers } from "./api.ts";
import { agent, ownMembers, repetition, room, type Way } from "./arguments.ts";
import { PARTS_OF_ROOM } from "./rest.ts";
import type { Tools } from "./tools.ts";
import type { Named } from "./words.ts";

const LEAVING: Way = {
  name: "with `leave`, join",
  needs: ["room", "leave"],
  takes: ["agent", "idempotency_key"],
};

/** A token is of one room, and no other is made under it. */
const HOLDING: Way = {
  name: "with a token, join",
  needs: ["room"],
  takes: ["agent", "name", "role", "meta", "if_new", "secure", "private", "idempotency_key"],
};

const BY_CODE: Way = {
  name: "with `code`, join",
  needs: ["code"],
  takes: ["agent", "name", "role", "meta", "private", "idempotency_key"],
};

interface Profile {
  name?: string;
  role?: string;
  meta?: Record<string, unknown>;
  if_new?: boolean;
  secure?: boolean;
  private?: boolean;
}

export function registerJoin(tools: Tools): void {
  tools.register("join", {
    description:
      "Create or enter a room, register as an agent, see the room; with code, join by it; with leave, leave.",
    shape: {
      room: room.optional().describe("Room id; without it a new room"),
      agent: agent.describe("Your id in it"),
      name: z.string().optional().describe("By default your id"),
      role: z.string().optional().describe("Such as worker; by default agent"),
      meta: ownMembers("Data of your own").optional(),
      code: z.string().optional().describe("Join code: gives your token"),
      locked: z.boolean().optional().describe("true: only for tokens of it"),
      if_new: z.boolean().optional().describe("true: only a new id"),
      secure: z.boolean().optional().describe("true: gives your token; only it acts as you"),
      private: z.boolean().optional().describe(
        "With secure or code: hides the scope of your name",
      ),
      leave: z.boolean().optional().describe("true: what you hold ends"),
      idempotency_key: repetition,
    },
    wayOf({ leave, code }, hasToken) {
      if (leave) return LEAVING;
      return code !== undefined ? BY_CODE : hasToken ? HOLDING : undefined;
    },
    actorOf: ({ code }) => code === undefined ? "agent" : undefined,
    annotations: ADDS_ONCE,
    rest: PARTS_OF_ROOM,
    async act({ room, agent, code, locked, leave, idempotency_key: key, ...profile }, { api, isHolder }) {
      if (leave) return await depart(api, room!, agent, key);
      if (code !== undefined) return await joinBy(api, code, { agent, ...profile }, key);
      if (isHolder) return await enter(api, room!, agent, profile, key);
      const made = await make(api, { id: room, locked }, key);
      if (!made.ok || made.body.token === null) return made;
      if (made.body.token !== undefined) return await lockIn(api, made.body, agent!, profile, key);
      return await enter(api, String(made.body.id), agent, profile, key);
    },
  });
}

async function depart(api: Api, room: string, named: string | undefined, key?: string): Promise<Answer> {
  const agent = named ?? await ownAgent(api, room);
  if (typeof agent !== "string") return agent;
  return await api.call("DELETE", ["rooms", room, "agents", agent], { body: {}, key });
}

/** Makes a room, unless it is there. Only a new id needs the key: else a repetition changes nothing. */
function make(api: Api, body: { id?: string; locked?: boolean }, key?: string): Promise<Answer> {
  const needed = body.id === undefined || body.locked ? key : undefined;
  return api.call("POST", ["rooms"], { body, key: needed, named: idIs("room") });
}

/** Registers in a locked room that was made just now, and shows the tokens of the agent and of the room. */
async function lockIn(
  api: Api,
  { id, token }: Record<string, unknown>,
  agent: string,
  profile: Profile,
  key?: string,
): Promise<Answer> {
  const joined = await enter(api.under(String(token)), String(id), agent, { ...profile, secure: true }, key);
  if (!joined.ok) return withMember(joined, { room: id, admin_token: token });
  const advice = `${OF_TOKEN} ${OF_ADMIN_TOKEN}`;
  return answerOf(true, withMembers({ admin_token: token }, joined.text), joined.isCut, advice);
}

/** What each token is for. */
const OF_TOKEN = "Pass the `token` below as `token` in each further call: it acts as you.";

/** No tool does what an admin's token is for. */
const OF_ADMIN_TOKEN = "Keep `admin_token`, which may do all, and with it invite others by HTTP: " +
  "POST /rooms/:id/invites; revoke tokens and delete the room likewise.";

/** Joins by a code, or by the address of an invitation. */
async function joinBy(
  api: Api,
  code: string,
  joiner: Profile & { agent?: string },
  key?: string,
): Promise<Answer> {
  const bare = /\/join\/([^/?#]+)/.exec(code)?.[1] ?? code;
  const joined = await api.call("POST", ["join", bare], { body: { ...joiner }, key });
  if (!joined.ok) return joined;
  const { room, agent, token, replayed } = joined.body as Record<string, string>;
  const { ok, text, isCut } = await api.under(token!).snapshot(room!);
  return ok
    ? answerOf(ok, withMembers({ room, agent, token, replayed }, text), isCut, aboutToken(token))
    : joined;
}

/** Registers in a room, and shows it. */
async function enter(
  api: Api,
  id: string,
  named: string | undefined,
  profile: Profile,
  key?: string,
): Promise<Answer> {
  const agent = named ?? await ownAgent(api, id);
  if (typeof agent !== "string") return agent;
  const joined = await api.call("POST", ["rooms", id, "agents"], {
    body: { id: agent, name: agent, ...profile },
    key,
    named: idIs("agent"),
  });
  if (!joined.ok) return joined;
  const { created, replayed, token, hint } = joined.body;
  const own = typeof token === "string" ? api.under(token) : api;
  const { ok, text, isCut } = await own.snapshot(id);
  const shown = withMembers({ room: id, agent, token, hint, created, replayed }, text);
  return answerOf(ok, shown, isCut, ok ? aboutToken(token) : undefined);
}

/** Says what a token is for, where an answer shows one. */
function aboutToken(token: unknown): string | undefined {
  return typeof token === "string" ? OF_TOKEN : undefined;
}

/** Returns the agent to which the caller's token is bound, or why there is none. */
async function ownAgent(api: Api, room: string): Promise<string | Answer> {
  const asked = await api.call("POST", ["rooms", room, "eval"], { body: { expr: "self" } });
  if (!asked.ok) return asked;
  const { value } = asked.body;
  if (typeof value === "string") return value;
  const refusal = { error: "invalid_request", message: `\`agent\` ${MISSING}: your token is bound to none.` };
  return answerOf(false, JSON.stringify(refusal));
}

/** Maps the API's `id` to the tool's argument. */
function idIs(argument: string): Named {
  return (path) => path[0] === "id" ? [argument] : path;
}
