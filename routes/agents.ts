import type { Hono } from "hono";
import { getAgent, heartbeat, listAgents, registerAgent } from "../db/agents.ts";
import { answerOnce } from "./http/idempotency.ts";
import { existingId } from "./http/ids.ts";
import { LIMITS } from "./http/limits.ts";
import { large, resource } from "./http/methods.ts";
import { checkSize, readBody, reply, replyLarge, roomOf } from "./http/requests.ts";
import type { Services } from "./services.ts";

export function mountAgents(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  resource(app, "/rooms/:room/agents", {
    async POST(c) {
      const room = roomOf(c);
      const { if_new: ifNew, ...profile } = await readBody(c, "agentBody");
      checkSize(profile.meta, "meta");
      const operation = registerAgent(database, room, { ...profile, ifNew }, LIMITS.agents);
      return await answerOnce(c, services, room, operation, ({ agent, created, revision }) => {
        return reply(revision, { ...agent, created }, created ? 201 : 200);
      });
    },
    GET: large(async (c) => {
      const { agents, revision } = await listAgents(database, viewerOf(c), roomOf(c));
      return await replyLarge(revision, agents);
    }),
  });

  resource(app, "/rooms/:room/agents/:agent", {
    async GET(c) {
      const agentId = existingId(c.req.param("agent")!);
      const { agent, revision } = await getAgent(database, viewerOf(c), roomOf(c), agentId);
      return reply(revision, agent);
    },
  });

  resource(app, "/rooms/:room/agents/:agent/heartbeat", {
    async POST(c) {
      const room = roomOf(c);
      const agent = existingId(c.req.param("agent")!);
      const { status = "active" } = await readBody(c, "heartbeatBody");
      const operation = heartbeat(database, room, agent, status);
      return await answerOnce(c, services, room, operation, ({ heartbeat, revision }) => {
        return reply(revision, { ok: true, agent, status, heartbeat });
      });
    },
  });
}
