import type { z } from "zod";
import type { ErrorCode } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import * as bodies from "../schemas.ts";
import type { ANSWERS } from "./answers.ts";
import { agent, entry, message, room, time } from "./examples.ts";
import * as parameters from "./parameters.ts";
import type { Parameter } from "./parameters.ts";
import { SERVICE_OPERATIONS } from "./service_operations.ts";

type AnswerName = keyof typeof ANSWERS;

export interface Operation {
  id: string;
  summary: string;
  description?: string;
  parameters?: Parameter[];
  /** The schema that validates the body, under the name that it has in the document. */
  body?: [name: string, schema: z.ZodType];
  /** A body that can be sent as it stands. */
  example?: unknown;
  /** What a success is: the schema of each status, or a media type where it is no JSON. */
  answers: Partial<Record<200 | 201 | 304, AnswerName | `text/${string}` | "nothing">>;
  shown?: unknown;
  /** Headers of a success beside those of every answer about a room. */
  headers?: string[];
  /** Those of its own; what holds for every path of a room, and for all, is added to the document. */
  errors: ErrorCode[];
}

const BODY: ErrorCode[] = ["too_large"];
const STATE_WRITE: ErrorCode[] = [
  ...BODY,
  "invalid_expression",
  "version_conflict",
  "precondition_failed",
];
const PUT: ErrorCode[] = [...STATE_WRITE, "not_a_number", "limit_reached"];

/** Every operation of the API, by path and method. A test finds what is served and missing here. */
export const OPERATIONS: Record<string, Partial<Record<"get" | "post" | "put" | "delete", Operation>>> = {
  "/rooms": {
    get: {
      id: "listRooms",
      summary: "List rooms, newest first",
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
      parameters: [parameters.IF_NONE_MATCH],
      answers: { 200: "Room", 304: "nothing" },
      shown: room,
      headers: ["ETag"],
      errors: [],
    },
  },
  "/rooms/{room}/agents": {
    get: {
      id: "listAgents",
      summary: "List the agents in order of joining",
      answers: { 200: "AgentList" },
      shown: [agent],
      errors: [],
    },
    post: {
      id: "registerAgent",
      summary: "Register an agent, or update it",
      description:
        "201 where it is new; 200 where it was registered before and was updated, or 409 with `if_new`.",
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
      answers: { 200: "Agent" },
      shown: agent,
      errors: ["agent_not_found"],
    },
  },
  "/rooms/{room}/agents/{agent}/heartbeat": {
    post: {
      id: "heartbeat",
      summary: "Say that an agent is alive, and what it does",
      body: ["HeartbeatRequest", bodies.heartbeatBody],
      example: { status: "busy" },
      answers: { 200: "Heartbeat" },
      shown: { ok: true, agent: "alice", status: "busy", heartbeat: time },
      errors: [...BODY, "agent_not_found"],
    },
  },
  "/rooms/{room}/messages": {
    get: {
      id: "listMessages",
      summary: "List messages, ids ascending",
      parameters: parameters.MESSAGE_FILTERS,
      answers: { 200: "MessageList" },
      shown: [message],
      headers: ["Link"],
      errors: [],
    },
    post: {
      id: "postMessage",
      summary: "Post a message",
      description: "`to` is an address, not a lock: everyone in the room can read every message.",
      body: ["MessageRequest", bodies.messageBody],
      example: { from: "alice", kind: "task", body: { file: "a.ts" } },
      answers: { 201: "Message" },
      shown: message,
      errors: [...BODY, "message_not_found"],
    },
  },
  "/rooms/{room}/messages/{message}": {
    get: {
      id: "getMessage",
      summary: "Read a message",
      answers: { 200: "Message" },
      shown: message,
      errors: ["message_not_found"],
    },
  },
  "/rooms/{room}/messages/{message}/claim": {
    post: {
      id: "claimMessage",
      summary: "Claim a message: exactly one agent ever gets it",
      body: ["ClaimRequest", bodies.claimBody],
      example: { agent: "bob" },
      answers: { 200: "Claim" },
      shown: { claimed: true, claimed_by: "bob", message_id: 4 },
      errors: [...BODY, "message_not_found", "already_claimed"],
    },
  },
  "/rooms/{room}/state": {
    get: {
      id: "readState",
      summary: "Read one entry, or list entries",
      parameters: [...parameters.STATE_FILTERS, parameters.IF_NONE_MATCH],
      answers: { 200: "StateAnswer", 304: "nothing" },
      shown: entry,
      headers: ["ETag", "Convene-Reset"],
      errors: ["key_not_found"],
    },
    put: {
      id: "writeEntry",
      summary: "Write, increment or define one entry, under conditions where you name them",
      parameters: [parameters.IF_MATCH, parameters.CREATE_ONLY],
      body: ["StateRequest", bodies.stateBody],
      example: { key: "turn", value: 2, if_version: 1, agent: "alice" },
      answers: { 200: "EntryOrView" },
      shown: entry,
      headers: ["ETag"],
      errors: [...PUT, "etag_mismatch"],
    },
    delete: {
      id: "deleteEntry",
      summary: "Delete one entry",
      description: "Its members may stand in the body, in the query, or some here and some there.",
      parameters: [...parameters.DELETE_MEMBERS, parameters.IF_MATCH],
      body: ["DeleteRequest", bodies.deleteRequest],
      example: { key: "lock", if: "state._shared.lock == self", agent: "bob" },
      answers: { 200: "Deletion" },
      shown: { deleted: true },
      errors: [...STATE_WRITE, "etag_mismatch"],
    },
  },
  "/rooms/{room}/state/batch": {
    put: {
      id: "writeBatch",
      summary: `Write up to ${LIMITS.batchWrites} entries, all or none, under one gate`,
      body: ["BatchRequest", bodies.batchBody],
      example: { if: "state._shared.turn == 2", writes: [{ key: "turn", increment: true }] },
      answers: { 200: "Batch" },
      shown: { ok: true, count: 1, state: [entry] },
      errors: PUT,
    },
  },
  "/rooms/{room}/eval": {
    post: {
      id: "evaluate",
      summary: "Evaluate a CEL expression over the room",
      body: ["EvalRequest", bodies.evalBody],
      example: { expr: "state._shared.turn + 1", agent: "alice" },
      answers: { 200: "Evaluation" },
      shown: {
        expression: "state._shared.turn + 1",
        value: 3,
        context_keys: ["state", "agents", "messages", "self", "now"],
      },
      errors: [...BODY, "invalid_expression", "evaluation_failed"],
    },
  },
  "/rooms/{room}/wait": {
    get: waiting("waitByQuery", "Wait until a condition is true, from the query", {
      parameters: parameters.WAIT_PARAMETERS,
    }),
    post: waiting("wait", "Wait until a condition is true", {
      body: ["WaitRequest", bodies.waitBody],
      example: { condition: "state._shared.turn == self", agent: "alice", include: ["state._shared"] },
    }),
  },
  "/rooms/{room}/changes": {
    get: {
      id: "readChanges",
      summary: "Read what changed after a revision",
      parameters: [parameters.AFTER_REVISION, parameters.LIMIT],
      answers: { 200: "Changes" },
      shown: { revision: 5, state: [], agents: [], messages: [], more: false },
      headers: ["Link"],
      errors: [],
    },
  },
  "/rooms/{room}/events": {
    get: {
      id: "followEvents",
      summary: "Follow the changes as Server-Sent Events",
      description:
        "Each event's data is a `Changes`, its id the revision to go on from. A reader that knows more than " +
        "there is (the database was restored from a copy) gets the event `reset` first, then all from the start.",
      parameters: [parameters.AFTER_REVISION, parameters.LAST_EVENT],
      answers: { 200: "text/event-stream" },
      errors: [],
    },
  },
  ...SERVICE_OPERATIONS,
};

function waiting(id: string, summary: string, how: Partial<Operation>): Operation {
  return {
    id,
    summary,
    ...how,
    answers: { 200: "Wait" },
    shown: { triggered: true, condition: "state._shared.turn == self", value: true },
    errors: [...BODY, "agent_not_found", "invalid_expression"],
  };
}
