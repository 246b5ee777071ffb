import type { z } from "zod";
import { isObject, type Json, type JsonObject } from "../../db/json.ts";
import { SHARED_SCOPE, VIEW_SCOPE } from "../../db/state/entry.ts";
import { made, type Parts } from "../http/input/schemas.ts";
import { LIMITS } from "../http/limits.ts";

/** Refuses null for a guard: its sender wants a guard, and would write without one. */
function guardFault(message: string): { error: z.core.$ZodErrorMap } {
  return {
    error: ({ input }) =>
      input === null ? "must not be null: leave it out to write whatever is there" : message,
  };
}

const ifVersion = ({ z }: Parts) =>
  z.int(guardFault("must be a whole number, 0 or more")).min(0)
    .describe("Only if the entry has this version, else 409; 0: only if it does not exist").optional();

/** Members that a request has once, even a batch: the gate, and who writes. */
const once = ({ z, absent, id }: Parts) => ({
  if: z.string(guardFault("must be a CEL expression, as text")).meta({
    maxLength: LIMITS.expressionLength,
    description: "CEL that must be true at the moment of the write, else 409",
  }).optional(),
  agent: absent(id).describe("The agent that writes: `self` in the gate; the write counts as its heartbeat"),
});

const entryKey = ({ defaulting, id, key }: Parts) => ({ scope: defaulting(id, SHARED_SCOPE), key });

const ttl = ({ secondsUpTo }: Parts) =>
  secondsUpTo(LIMITS.keySeconds).describe("Seconds after which the key is deleted; without it the key stays");

/** The edits of a write. `append` and `remove` take null as a value. */
const edits = ({ z, absent, jsonObject }: Parts) => ({
  merge: absent(jsonObject),
  append: z.custom<Json>().optional(),
  append_all: absent(z.custom<Json[]>(Array.isArray, "must be an array")),
  remove: z.custom<Json>().optional(),
  set: absent(z.custom<JsonObject>(isObject, "must be a JSON object of JSON pointers with their values")),
  unset: absent(z.array(z.string("must be a JSON pointer, as text"))),
});

const write = (parts: Parts) => {
  const { z, absent, expression } = parts;
  return {
    ...entryKey(parts),
    value: z.custom<Json>().optional(),
    if_version: ifVersion(parts),
    increment: absent(z.union([z.boolean(), z.number()], "must be true, false or a number")),
    expr: absent(expression),
    ttl: absent(ttl(parts)),
    ...edits(parts),
  };
};

const stateWrite = (parts: Parts) => parts.z.strictObject(write(parts));

export type StateWriteBody = z.infer<ReturnType<typeof stateWrite>>;

/** The schemas that parse bodies. */
export const WRITES = {
  bodies: made((parts) => ({
    put: stateWrite(parts).extend(once(parts)),
    batch: parts.z.strictObject({
      writes: parts.z.array(stateWrite(parts))
        .min(1, "must hold at least one write")
        .max(LIMITS.batchWrites, `must hold at most ${LIMITS.batchWrites} writes`),
      ...once(parts),
    }),
    delete: parts.z.strictObject({ ...entryKey(parts), if_version: ifVersion(parts), ...once(parts) }),
  })),
};

/*
 * One schema parses every write; `writeOf` then checks which members go together, which is faster and gives better
 * hints. The document lists the kinds of writes apart, for generated clients. A test checks that both accept the same.
 */

/** Agents' own scopes, and the named ones of the system. */
const scopesOf = ({ z, ownId }: Parts, ...names: string[]) => z.union([z.enum(names), ownId]);
const scopeIn = ({ defaulting }: Parts, scopes: z.ZodType) =>
  defaulting(scopes, SHARED_SCOPE).describe(
    "Of scopes that begin with _ only those named here; the others belong to the system",
  );

/** The kinds of edits, each as `edit` makes it of its title and its own members. */
function editsOf<Kind>(
  { z, absent, value, json, object }: Parts,
  edit: (title: string, members: z.ZodRawShape) => Kind,
): Kind[] {
  const pointer = z.string().meta({ pattern: "^(/([^~/]|~[01])*)+$" });
  const unset = z.array(pointer).min(1).max(LIMITS.editPointers)
    .describe("JSON pointers of members to remove, the last first, after `set`");
  return [
    edit("Merge into an object", {
      merge: object.describe("A JSON merge patch (RFC 7396): null removes a member"),
    }),
    edit("Append to a list", { append: value.describe("What is appended; null is a value") }),
    edit("Append several to a list", {
      append_all: z.array(json).describe("What is appended, in this order"),
    }),
    edit("Remove from a list", {
      remove: value.describe("Every equal member is removed; null is a value"),
    }),
    edit("Set members by JSON pointers", {
      set: z.record(pointer, json).meta({
        description:
          `At most ${LIMITS.editPointers} JSON pointers with values, applied in order; a pointer to the whole value is refused`,
        minProperties: 1,
        maxProperties: LIMITS.editPointers,
      }),
      unset: absent(unset),
    }),
    edit("Remove members by JSON pointers", { unset }),
  ];
}

/** The kinds of a write, each with the members of the request `beside` it. */
function kindsOf(parts: Parts, beside: z.ZodRawShape) {
  const { z, absent, key, value, expression } = parts;
  // Accepts null alone. It is not typed as null, which openapi-fetch would refuse, but as a text that is no text.
  const nullAlone = z.string().nullish().meta({ not: { type: "string" } });
  const noEdit = { merge: nullAlone, append_all: nullAlone, set: nullAlone, unset: nullAlone };
  const target = {
    scope: scopeIn(parts, scopesOf(parts, SHARED_SCOPE)),
    key,
    if_version: ifVersion(parts),
    ttl: absent(ttl(parts)),
  };
  const kind = (title: string, members: z.ZodRawShape) =>
    z.strictObject({ ...target, ...noEdit, ...members, ...beside }).meta({ title });
  const increment = absent(z.literal(false));
  return z.union([
    kind("Store a value", {
      value: value.describe(`Any JSON of at most ${LIMITS.valueBytes} bytes`),
      increment,
      expr: nullAlone,
    }),
    kind("Add a value to a number", {
      increment: z.literal(true),
      value: z.number().optional().describe("What is added; 1 by default"),
      expr: nullAlone,
    }),
    kind("Add to a number", { increment: z.number().describe("What is added"), expr: nullAlone }),
    ...editsOf(
      parts,
      (title, members) => kind(title, { value: nullAlone, increment, expr: nullAlone, ...members }),
    ),
    kind("Define a view", {
      scope: z.literal(VIEW_SCOPE),
      expr: expression.describe(
        `The CEL expression of the view; a room's views have at most ${LIMITS.viewBytes} bytes in all`,
      ),
      value: nullAlone.describe("Only null is allowed: `expr` gives the value"),
      ttl: nullAlone,
      increment,
    }),
  ]);
}

export const deletableScope = (parts: Parts) => scopesOf(parts, SHARED_SCOPE, VIEW_SCOPE);

/** The schemas of bodies in the OpenAPI document. */
export function documentedBodies(parts: Parts) {
  const { batch, delete: deletion } = WRITES.bodies(parts);
  return {
    StateRequest: kindsOf(parts, once(parts)),
    // All optional: the query may hold them instead.
    DeleteRequest: deletion.extend({ scope: scopeIn(parts, deletableScope(parts)) }).partial(),
    BatchRequest: batch.extend({
      writes: parts.z.array(kindsOf(parts, {})).min(1).max(LIMITS.batchWrites),
    }),
  };
}

export function stateAnswers({ z, json, time, count, failure }: Parts) {
  const Entry = z.object({
    room_id: z.string(),
    scope: z.string(),
    key: z.string(),
    value: json,
    version: z.int().min(1),
    updated_at: time,
    updated_by: z.string().nullable(),
    verified_by: z.boolean().describe(
      "Whether it was written under that agent's own token, or an admin's that wrote as it",
    ),
    expires_at: time.nullable().describe("When it is deleted; null if it stays"),
  });
  const View = Entry.extend({
    expr: z.string(),
    as: z.string().nullable().describe(
      "The secure agent that defined it, with whose eyes it is evaluated; null: everybody's",
    ),
    resolved_value: json.optional(),
    error: failure.optional().describe("Why the view has no value yet"),
  });
  const DeletedEntry = z.object({
    scope: z.string(),
    key: z.string(),
    deleted: z.literal(true),
    version: z.int().min(1),
    updated_at: time,
  });
  return {
    Entry,
    View,
    DeletedEntry,
    EntryOrView: z.union([Entry, View]),
    StateAnswer: z.union([Entry, View, z.array(z.union([Entry, View, DeletedEntry]))]),
    Batch: z.object({ ok: z.literal(true), count, state: z.array(z.union([Entry, View])) }),
    Deletion: z.object({ deleted: z.boolean() }),
  };
}
