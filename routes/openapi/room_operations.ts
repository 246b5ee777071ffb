import * as bodies from "../schemas.ts";
import { agent, room, time } from "./examples.ts";
import { BODY, type Operations } from "./operation.ts";
import * as parameters from "./parameters.ts";

/** Rooms, and who is in them. */
export const ROOM_OPERATIONS: Operations = {
  "/rooms": {
    get: {
      id: "listRooms",
      summary: "List rooms, newest first",
      description: "Where there are more, `Link` says where the list goes on.",
      parameters: parameters.ROOM_FILTERS,
      answers: { 200: "RoomList" },
      shown: [room],
      headers: ["Link"],
      errors: [],
    },
    post: {
      id: "createRoom",
      summary: "Create a room, or join the one that has this id",
      description: "201 where it was created; 200 with the room as it stands where it was there.",
      parameters: [parameters.ROOM_KEY],
      body: ["RoomRequest", bodies.roomBody],
      example: { id: "demo" },
      answers: { 200: "Room", 201: "Room" },
      shown: room,
      errors: BODY,
    },
  },
  "/rooms/{room}": {
    get: {
      id: "getRoom",
      summary: "Read a room",
      description: "Its `ETag` is the room's revision: it changes with whatever happens in the room.",
      parameters: [parameters.IF_NONE_MATCH],
      answers: { 200: "Room", 304: [] },
      shown: room,
      headers: ["ETag"],
      errors: [],
    },
  },
  "/rooms/{room}/agents": {
    get: {
      id: "listAgents",
      summary: "List the agents in order of joining",
      description: "All of them, with their presence.",
      answers: { 200: "AgentList" },
      shown: [agent],
      errors: [],
    },
    post: {
      id: "registerAgent",
      summary: "Register an agent, or update it",
      description:
        "201 where it is new; 200 where it was registered before and was updated, or 409 with `if_new`.",
      parameters: [parameters.KEY],
      body: ["AgentRequest", bodies.agentBody],
      example: { id: "alice", name: "Alice", role: "planner" },
      answers: { 200: "RegisteredAgent", 201: "RegisteredAgent" },
      shown: { ...agent, created: true },
      errors: [...BODY, "agent_exists", "limit_reached"],
    },
  },
  "/rooms/{room}/agents/{agent}": {
    get: {
      id: "getAgent",
      summary: "Read an agent",
      description: "Its profile and its presence.",
      answers: { 200: "Agent" },
      shown: agent,
      errors: ["agent_not_found"],
    },
  },
  "/rooms/{room}/agents/{agent}/heartbeat": {
    post: {
      id: "heartbeat",
      summary: "Say that an agent is alive, and what it does",
      description: "Whatever an agent does counts as its heartbeat; this one sets its status too.",
      parameters: [parameters.KEY],
      body: ["HeartbeatRequest", bodies.heartbeatBody],
      example: { status: "busy" },
      answers: { 200: "Heartbeat" },
      shown: { ok: true, agent: "alice", status: "busy", heartbeat: time },
      errors: [...BODY, "agent_not_found"],
    },
  },
};
