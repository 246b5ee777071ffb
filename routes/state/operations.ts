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

const WRITE: ErrorCode[] = ["invalid_expression", "version_conflict", "precondition_failed"];
const PUT: ErrorCode[] = [...WRITE, "not_a_number", "not_editable", "limit_reached"];

const IF_MATCH = header(
  "If-Match",
  "The `ETag` that the entry must still have, weak or not, else 412; the same as `if_version`",
  { type: "string", pattern: ONE_TAG.source },
);

const CREATE_ONLY = header(
  "If-None-Match",
  "`*`: only if the key does not exist, else 412; the same as `if_version: 0`",
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
          "With `key` the one entry, and its `ETag` unless views are resolved; else a list by scope and key.",
        parameters: [
          query("scope", "Only this scope; with `key` it is `_shared` unless said"),
          query("key", "This one entry, in place of a list"),
          query("prefix", "Only keys that begin so"),
          query(
            "since",
            "Only what changed after this revision, deleted keys included; all, where the room has not come so far",
            number(0),
          ),
          query("resolve", "`true`: views with their present values", flag),
          IF_NONE_MATCH,
        ],
        answers: { 200: "StateAnswer", 304: [] },
        shown,
        headers: ["ETag", "Convene-Reset"],
        errors: ["key_not_found"],
      },
      put: {
        id: "writeEntry",
        summary: "Write, increment or define one entry, under conditions where you name them",
        description: "Demand a version by `if_version` or by one of the headers, not by two of them.",
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
          "Its members may stand in the body, in the query, or some here and some there; `key` in one of them.",
        parameters: [
          query("scope", "The scope of the key: `_shared` unless said", deletableScope),
          query("key", "The key to delete", ({ key }) => key),
          guard("if_version", "Only if the entry has this version, else 409", number(0)),
          guard(
            "if",
            "CEL that must hold in the very state that the delete changes, URL-encoded",
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
        description: "In their order, each on top of those before it. It takes no `If-Match`.",
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
