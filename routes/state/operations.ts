import type { ErrorCode } from "../../errors.ts";
import { LIMITS } from "../http/limits.ts";
import { entry } from "../openapi/examples.ts";
import { BODY, type Operations } from "../openapi/operation.ts";
import * as parameters from "../openapi/parameters.ts";
import { batchRequest, deleteRequest, stateRequest } from "./schemas.ts";

const WRITE: ErrorCode[] = [...BODY, "invalid_expression", "version_conflict", "precondition_failed"];
const PUT: ErrorCode[] = [...WRITE, "not_a_number", "limit_reached"];

/** What agents share. */
export const STATE_OPERATIONS: Operations = {
  "/rooms/{room}/state": {
    get: {
      id: "readState",
      summary: "Read one entry, or list entries",
      description:
        "With `key` the one entry, and its `ETag` unless views are resolved; else a list by scope and key.",
      parameters: [...parameters.STATE_FILTERS, parameters.IF_NONE_MATCH],
      answers: { 200: "StateAnswer", 304: [] },
      shown: entry,
      headers: ["ETag", "Convene-Reset"],
      errors: ["key_not_found"],
    },
    put: {
      id: "writeEntry",
      summary: "Write, increment or define one entry, under conditions where you name them",
      description: "Demand a version by `if_version` or by one of the headers, not by two of them.",
      parameters: [parameters.IF_MATCH, parameters.CREATE_ONLY, parameters.KEY],
      body: ["StateRequest", stateRequest],
      example: { key: "turn", value: 2, if_version: 1, agent: "alice" },
      answers: { 200: "EntryOrView" },
      shown: entry,
      headers: ["ETag"],
      errors: [...PUT, "etag_mismatch"],
    },
    delete: {
      id: "deleteEntry",
      summary: "Delete one entry",
      description:
        "Its members may stand in the body, in the query, or some here and some there; `key` in one of them.",
      parameters: [...parameters.DELETE_MEMBERS, parameters.IF_MATCH, parameters.KEY],
      body: ["DeleteRequest", deleteRequest],
      example: { key: "lock", if: "state._shared.lock == self", agent: "bob" },
      answers: { 200: "Deletion" },
      shown: { deleted: true },
      errors: [...WRITE, "etag_mismatch"],
    },
  },
  "/rooms/{room}/state/batch": {
    put: {
      id: "writeBatch",
      summary: `Write up to ${LIMITS.batchWrites} entries, all or none, under one gate`,
      description: "In their order, each on top of those before it. It takes no `If-Match`.",
      parameters: [parameters.KEY],
      body: ["BatchRequest", batchRequest],
      example: { if: "state._shared.turn == 2", writes: [{ key: "turn", increment: true }] },
      answers: { 200: "Batch" },
      shown: { ok: true, count: 1, state: [entry] },
      errors: PUT,
    },
  },
};
