import { z } from "zod";
import { MISSING } from "../http/input/wordings.ts";
import { ADDS_ONCE } from "./annotations.ts";
import { type Answer, answerOf, type Api, withMembers } from "./api.ts";
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
  takes: ["agent", "name", "role", "meta", "if_new", "idempotency_key"],
};

interface Profile {
  name?: string;
  role?: string;
  meta?: Record<string, unknown>;
  if_new?: boolean;
}

export function registerJoin(tools: Tools): void {
  tools.register("join", {
    description: "Create or enter a room, register as an agent, and see the room; with leave, leave it.",
    shape: {
      room: room.optional().describe("Room id; without it a new room"),
      agent: agent.describe("Your id in it"),
      name: z.string().optional().describe("Your name for people; by default your id"),
      role: z.string().optional().describe("Such as planner or worker; by default agent"),
      meta: ownMembers("Data of your own, such as your skills").optional(),
      if_new: z.boolean().optional().describe("Refuse an id that exists"),
      leave: z.boolean().optional().describe("true: your claims and reservations end"),
      idempotency_key: repetition,
    },
    wayOf: ({ leave }, hasToken) => leave ? LEAVING : hasToken ? HOLDING : undefined,
    actorOf: () => "agent",
    annotations: ADDS_ONCE,
    rest: PARTS_OF_ROOM,
    async act({ room, agent, leave, idempotency_key: key, ...profile }, { api, isHolder }) {
      if (leave) return await depart(api, room!, agent, key);
      const made = isHolder ? undefined : await make(api, room, key);
      if (made?.ok === false) return made;
      return await enter(api, made ? String(made.body.id) : room!, agent, profile, key);
    },
  });
}

/** Leaves a room. */
async function depart(api: Api, room: string, named: string | undefined, key?: string): Promise<Answer> {
  const agent = named ?? await ownAgent(api, room);
  if (typeof agent !== "string") return agent;
  return await api.call("DELETE", ["rooms", room, "agents", agent], { body: {}, key });
}

/** Makes a room, unless it is there. Only a new id needs the key: else a repetition changes nothing. */
function make(api: Api, room: string | undefined, key?: string): Promise<Answer> {
  const body = { id: room };
  return api.call("POST", ["rooms"], {
    body,
    key: room === undefined ? key : undefined,
    named: idIs("room"),
  });
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
  const { ok, text, isCut } = await api.snapshot(id);
  const { created, replayed } = joined.body;
  return answerOf(ok, withMembers({ room: id, agent, created, replayed }, text), isCut);
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
