import type { Hono } from "hono";
import { heartbeat } from "../db/agents/heartbeat.ts";
import { getAgent, listAgents } from "../db/agents/read.ts";
import { registerAgent } from "../db/agents/register.ts";
import { leaveRoom } from "../db/agents/leave.ts";
import { STATUSES } from "../db/agents/presence.ts";
import { ownMember } from "./http/callers/own_agent.ts";
import { invalidMember } from "./http/errors.ts";
import { answerOnce, shownOnce } from "./http/idempotency.ts";
import { existingId, PLAIN, plainFault } from "./http/ids.ts";
import { EXAMPLE_TIME } from "./http/input/wordings.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import { checkSize, readBody, reply, replyAll, replyLarge, roomOf } from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import { KEY } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

/** The hint of a repetition, which does not show the token again. */
const TOKEN_LOST = "A token is shown once. Register another id, or ask an admin of the room for a new token.";

const KEPT = "Unchanged if an update leaves it out";

const shown = {
  id: "alice",
  room_id: "demo",
  name: "Alice",
  role: "planner",
  joined_at: EXAMPLE_TIME,
  meta: {},
  status: "active",
  waiting_on: null,
  last_heartbeat: EXAMPLE_TIME,
  alive: true,
  secure: false,
};

export const AGENTS = describe({
  bodies: ({ z, absent, defaulting, ownId, key, metaOf }) => ({
    AgentRequest: z.strictObject({
      id: absent(ownId).describe("A random UUID by default"),
      name: key.describe("What it is called"),
      role: defaulting(key, "agent").describe(KEPT),
      meta: metaOf(`. ${KEPT}`),
      if_new: absent(z.boolean())
        .describe("`true`: only if no agent has this id, else 409"),
      secure: absent(z.boolean()).describe(
        "`true`: the answer has a `token`, this once; from then on nobody acts as the agent without it or an " +
          `admin's. The id is then ${PLAIN}`,
      ),
      private: absent(z.boolean()).describe(
        "`true`, with `secure`: the scope of its name is its own from then on; for all others but admins it is empty",
      ),
    }),
    DepartureRequest: z.strictObject({}),
    HeartbeatRequest: z.strictObject({ status: defaulting(z.enum(STATUSES), "active") }),
  }),
  answers({ z, time, object }) {
    const Agent = z.object({
      id: z.string(),
      name: z.string(),
      role: z.string(),
      meta: object,
      status: z.enum(STATUSES),
      waiting_on: z.string().nullable().describe("The condition of the agent's newest wait"),
      joined_at: time,
      last_heartbeat: time,
      alive: z.boolean().describe(
        "Whether it was heard of in the last 60 seconds or has a wait in progress now",
      ),
      secure: z.boolean().describe("Whether only its token acts as it, or an admin's"),
      private: z.boolean().optional().describe(
        "Whether the scope of its name is its own; shown to itself and to admins",
      ),
      room_id: z.string(),
    });
    return {
      Agent,
      RegisteredAgent: Agent.extend({
        created: z.boolean().describe("Whether the agent is new in the room"),
        token: z.string().nullable().optional().describe(
          "Shown once, where the agent has become secure; null in a repetition",
        ),
        hint: z.string().optional(),
      }),
      AgentList: z.array(Agent),
      Departure: z.object({ left: z.boolean().describe("`false`: it was not there") }),
      Heartbeat: z.object({
        ok: z.literal(true),
        agent: z.string(),
        status: z.enum(STATUSES),
        heartbeat: time,
      }),
    };
  },
  operations: {
    "/rooms/{room}/agents": {
      get: {
        id: "listAgents",
        summary: "List the agents in order of joining",
        description: "All of them, with their presence.",
        answers: { 200: "AgentList" },
        shown: [shown],
      },
      post: {
        id: "registerAgent",
        summary: "Register an agent, or update it",
        description: "201 if it is new. If it was registered before, it is updated: 200; with `if_new` 409.",
        parameters: [KEY],
        body: "AgentRequest",
        example: { id: "alice", name: "Alice", role: "planner" },
        answers: { 200: "RegisteredAgent", 201: "RegisteredAgent" },
        shown: { ...shown, created: true },
        errors: ["agent_exists", "limit_reached"],
      },
    },
    "/rooms/{room}/agents/{agent}": {
      get: {
        id: "getAgent",
        summary: "Read an agent",
        description: "Its profile and its presence.",
        answers: { 200: "Agent" },
        shown,
        errors: ["agent_not_found"],
      },
      delete: {
        id: "leaveRoom",
        summary: "Let an agent leave the room",
        description:
          "Its claims that are not over and its reservations end at once, its waits with 404. What it wrote stays.",
        parameters: [KEY],
        body: "DepartureRequest",
        example: {},
        answers: { 200: "Departure" },
        shown: { left: true },
      },
    },
    "/rooms/{room}/agents/{agent}/heartbeat": {
      post: {
        id: "heartbeat",
        summary: "Say that an agent is alive, and what it does",
        description:
          "Every request that names an agent counts as its heartbeat. This one also sets its status.",
        parameters: [KEY],
        body: "HeartbeatRequest",
        example: { status: "busy" },
        answers: { 200: "Heartbeat" },
        shown: { ok: true, agent: "alice", status: "busy", heartbeat: EXAMPLE_TIME },
        errors: ["agent_not_found"],
      },
    },
  },
});

export function mountAgents(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  serve(app, services, AGENTS, "/rooms/{room}/agents", {
    async POST(c) {
      const room = roomOf(c);
      const filled = ownMember(c, services, "id");
      const { if_new: ifNew, ...profile } = await readBody(c, AGENTS, "AgentRequest", { filled });
      checkSize(profile.meta, "meta");
      const unplain = profile.secure && profile.id !== undefined ? plainFault(profile.id) : undefined;
      if (unplain) throw invalidMember(["id"], `id ${unplain}`);
      if (profile.private && !profile.secure) {
        throw invalidMember(
          ["private"],
          "private needs secure",
          "Send `secure: true` too: only an agent that proves who it is has a scope of its own.",
        );
      }
      const operation = registerAgent(database, room, { ...profile, ifNew }, LIMITS);
      return await answerOnce(c, services, room, operation, ({ agent, created, revision, token }) => {
        return reply(revision, { ...agent, created, ...shownOnce(token, TOKEN_LOST) }, created ? 201 : 200);
      });
    },
    GET: large(async (c) => {
      const { agents, revision } = await listAgents(database, viewerOf(c), roomOf(c));
      return await replyLarge(c, revision, agents);
    }),
  });

  serve(app, services, AGENTS, "/rooms/{room}/agents/{agent}", {
    async GET(c) {
      const agentId = existingId(c.req.param("agent")!);
      const { agent, revision } = await getAgent(database, viewerOf(c), roomOf(c), agentId);
      return reply(revision, agent);
    },
    async DELETE(c) {
      const room = roomOf(c);
      await readBody(c, AGENTS, "DepartureRequest");
      const operation = leaveRoom(database, room, existingId(c.req.param("agent")!));
      return await answerOnce(c, services, room, operation, replyAll);
    },
  });

  serve(app, services, AGENTS, "/rooms/{room}/agents/{agent}/heartbeat", {
    async POST(c) {
      const room = roomOf(c);
      const agent = existingId(c.req.param("agent")!);
      const { status = "active" } = await readBody(c, AGENTS, "HeartbeatRequest");
      const operation = heartbeat(database, room, agent, status);
      return await answerOnce(c, services, room, operation, ({ heartbeat, revision }) => {
        return reply(revision, { ok: true, agent, status, heartbeat });
      });
    },
  });
}
