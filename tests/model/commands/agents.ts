import fc from "fast-check";
import { getAgent, heartbeat, leave, listAgents, register } from "../reference/agents.ts";
import { agent, command, once, optional, status } from "./command.ts";

const role = optional(fc.constantFrom("agent", "judge"));
const meta = optional(fc.constantFrom({}, { m: 1 }));
const name = fc.constantFrom("Ann", "Bob");

const writes = [
  command(
    "register",
    { id: agent, name, role, meta, if_new: optional(fc.boolean(), 3), once },
    ({ once: _, ...body }) => ({ method: "POST", path: "/agents", body }),
    (profile, room) => register(room, profile),
  ),
  command(
    "heartbeat",
    { agent, status: optional(status, 5), once },
    ({ agent, status }) => ({ method: "POST", path: `/agents/${agent}/heartbeat`, body: { status } }),
    ({ agent, status }, room) => heartbeat(room, agent, status),
  ),
  command(
    "leave the room",
    { id: agent, once },
    ({ id }) => ({ method: "DELETE", path: `/agents/${id}` }),
    ({ id }, room) => leave(room, id),
  ),
];

const reads = [
  command(
    "agents",
    {},
    () => ({ method: "GET", path: "/agents" }),
    (_, room) => listAgents(room),
  ),
  command(
    "agent",
    { id: agent },
    ({ id }) => ({ method: "GET", path: `/agents/${id}` }),
    ({ id }, room) => getAgent(room, id),
  ),
];

export const agentCommands = { writes, reads };
