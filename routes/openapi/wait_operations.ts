import * as bodies from "../schemas.ts";
import { BODY, type Operation, type Operations } from "./operation.ts";
import * as parameters from "./parameters.ts";

/** What is judged or told of a room as a whole. */
export const WAIT_OPERATIONS: Operations = {
  "/rooms/{room}/eval": {
    post: {
      id: "evaluate",
      summary: "Evaluate a CEL expression over the room",
      description: "It changes nothing: try here what a gate, a wait or a view is to say.",
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
    }, BODY),
  },
  "/rooms/{room}/changes": {
    get: {
      id: "readChanges",
      summary: "Read what changed after a revision",
      description: "Go on from `revision` of the answer: at once with `more`, else whenever you like.",
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
      parameters: [parameters.FOLLOW_AFTER, parameters.LAST_EVENT],
      answers: { 200: ["text/event-stream"] },
      errors: [],
    },
  },
};

function waiting(
  id: string,
  summary: string,
  how: Partial<Operation>,
  errors: Operation["errors"] = [],
): Operation {
  return {
    id,
    summary,
    description:
      "Answers as soon as it is true, or when the time is over. A key that is missing means: not yet.",
    ...how,
    answers: { 200: "Wait" },
    shown: { triggered: true, condition: "state._shared.turn == self", value: true },
    errors: [...errors, "agent_not_found", "invalid_expression"],
  };
}
