import type { ErrorCode } from "../../errors.ts";
import { ONE_TAG } from "../http/etags.ts";
import { EXAMPLE_TIME } from "../http/input/wordings.ts";
import { LIMITS } from "../http/limits.ts";
import { describe } from "../openapi/operation.ts";
import {
  expression,
  flag,
  guard,
  header,
  id,
  IF_NONE_MATCH,
  KEY,
  number,
  query,
} from "../openapi/parameters.ts";
import { deletableScope, documentedBodies, stateAnswers } from "./schemas.ts";
import { KEY_PATH } from "./scopes.ts";

const WRITE: ErrorCode[] = ["invalid_expression", "version_conflict", "precondition_failed"];
const PUT: ErrorCode[] = [...WRITE, "not_a_number", "not_editable", "limit_reached"];

const IF_MATCH = header(
  "If-Match",
  "Only if the entry still has this `ETag`, weak or not, else 412; like `if_version`",
  { type: "string", pattern: ONE_TAG.source },
);

const CREATE_ONLY = header(
  "If-None-Match",
  "`*`: only if the key does not exist, else 412; like `if_version: 0`",
  { type: "string", enum: ["*"] },
);

const shown = {
  room_id: "demo",
  scope: "_shared",
  key: "turn",
  value: 2,
  version: 2,
  updated_at: EXAMPLE_TIME,
  updated_by: "alice",
  verified_by: false,
  expires_at: null,
};

export const STATE = describe({
  bodies: documentedBodies,
  answers: stateAnswers,
  operations: {
    "/rooms/{room}/state": {
      get: {
        id: "readState",
        summary: "Read one entry, or list entries",
        description:
          "With `key`: one entry, and its `ETag` unless views are resolved. Without: a list by scope and key.",
        parameters: [
          query("scope", "Only this scope; with `key`, `_shared` by default. A key stands in `key` alone", {
            type: "string",
            not: { pattern: KEY_PATH },
          }),
          query("key", "This one entry instead of a list"),
          query("prefix", "Only keys with this prefix"),
          query(
            "since",
            "Only what changed after this revision, including deleted keys; everything if the room is at an earlier revision",
            number(0),
          ),
          query("resolve", "`true`: compute the views' values", flag),
          IF_NONE_MATCH,
        ],
        answers: { 200: "StateAnswer", 304: [] },
        shown,
        headers: ["ETag", "Convene-Reset"],
        errors: ["key_not_found", "too_large"],
      },
      put: {
        id: "writeEntry",
        summary: "Write, increment, edit or define one entry, if its conditions hold",
        description: "Name a version by `if_version` or by one of the headers, not by two of them.",
        parameters: [IF_MATCH, CREATE_ONLY, KEY],
        body: "StateRequest",
        example: { key: "turn", value: 2, if_version: 1, agent: "alice" },
        answers: { 200: "EntryOrView" },
        shown,
        headers: ["ETag"],
        errors: [...PUT, "etag_mismatch"],
      },
      delete: {
        id: "deleteEntry",
        summary: "Delete one entry",
        description:
          "Members may be in the body, in the query, or in both. `key` is required in one of them.",
        parameters: [
          query("scope", "The scope of the key; `_shared` by default", deletableScope),
          query("key", "The key to delete", ({ key }) => key),
          guard("if_version", "Only if the entry has this version, else 409", number(0)),
          guard(
            "if",
            "CEL that must be true at the moment of the delete, URL-encoded",
            expression,
          ),
          query("agent", "Who deletes: `self` in the gate", id),
          IF_MATCH,
          KEY,
        ],
        body: "DeleteRequest",
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
        description: "Writes take effect in order; each sees those before it. `If-Match` is not allowed.",
        parameters: [KEY],
        body: "BatchRequest",
        example: { if: "state._shared.turn == 2", writes: [{ key: "turn", increment: true }] },
        answers: { 200: "Batch" },
        shown: { ok: true, count: 1, state: [shown] },
        errors: PUT,
      },
    },
  },
});
