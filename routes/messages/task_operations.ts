import type { ErrorCode } from "../../errors.ts";
import { EXAMPLE_TIME } from "../http/input/wordings.ts";
import { describe } from "../openapi/operation.ts";
import { KEY } from "../openapi/parameters.ts";
import { taskAnswers, taskBodies } from "./schemas.ts";

export const shownClaim = {
  claimed: true,
  claimed_by: "bob",
  message_id: 4,
  claimed_at: EXAMPLE_TIME,
  claimed_until: "2026-11-22T04:25:00.000Z",
  fence: 5,
  attempts: 1,
};

const HOLDERS: ErrorCode[] = ["message_not_found", "lease_lost"];

export const TASKS = describe({
  bodies: taskBodies,
  answers: taskAnswers,
  operations: {
    "/rooms/{room}/messages/{message}/claim": {
      post: {
        id: "claimMessage",
        summary: "Claim a message; at any revision at most one agent holds it",
        description:
          "With `ttl` the claim ends by itself, and then others may claim the message. Claiming what you hold is " +
          "answered the same way; with `ttl` the claim then ends that many seconds from now.",
        parameters: [KEY],
        body: "ClaimRequest",
        example: { agent: "bob", ttl: 300 },
        answers: { 200: "Claim" },
        shown: shownClaim,
        errors: ["message_not_found", "already_claimed", "task_blocked", "task_over"],
      },
    },
    "/rooms/{room}/messages/{message}/renew": {
      post: {
        id: "renewClaim",
        summary: "Renew a claim: it ends `ttl` seconds from now",
        description: "409 if the agent does not hold the claim under that `fence`.",
        parameters: [KEY],
        body: "RenewRequest",
        example: { agent: "bob", fence: 5, ttl: 300 },
        answers: { 200: "Claim" },
        shown: shownClaim,
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/release": {
      post: {
        id: "releaseClaim",
        summary: "Release a claim",
        description: "The message is `open` again, or `failed` if this was the last of its `max_attempts`.",
        parameters: [KEY],
        body: "ReleaseRequest",
        example: { agent: "bob", fence: 5, error: { message: "disk full" } },
        answers: { 200: "Release" },
        shown: { released: true, message_id: 4, status: "open" },
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/complete": {
      post: {
        id: "completeTask",
        summary: "Complete a task, with its result in the same write",
        description:
          "A task whose last unfinished need this was is `open` from then on. A repetition by the same agent " +
          "with the same `fence` gets the first answer again.",
        parameters: [KEY],
        body: "CompleteRequest",
        example: { agent: "bob", fence: 5, result: { lines: 12 } },
        answers: { 200: "Completion" },
        shown: { completed: true, message_id: 4, done_at: EXAMPLE_TIME, result: null },
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/fail": {
      post: {
        id: "failTask",
        summary: "End a task as `failed`, and all that need it",
        description:
          "The agent that holds it may do this. While it is `open` or `blocked`, its sender may; without a sender, anybody; " +
          "in a locked room an admin, too.",
        parameters: [KEY],
        body: "FailRequest",
        example: { agent: "bob", fence: 5, error: { message: "no such file" } },
        answers: { 200: "Failure" },
        shown: { failed: true, message_id: 4, status: "failed", done_at: EXAMPLE_TIME },
        errors: HOLDERS,
      },
    },
    "/rooms/{room}/messages/{message}/attempts": {
      get: {
        id: "listAttempts",
        summary: "List the claims of a message, oldest first",
        description: "Says how each claim ended, and with which `error`.",
        answers: { 200: "AttemptList" },
        shown: [{
          fence: 5,
          agent: "bob",
          claimed_at: EXAMPLE_TIME,
          ended_at: null,
          ended: null,
          error: null,
        }],
        errors: ["message_not_found"],
      },
    },
  },
});
