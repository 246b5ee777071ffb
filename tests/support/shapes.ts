import assert from "node:assert/strict";
import { Client, type Json, type Reply } from "./client.ts";

/** Asserts which members an object has: all that are required, and no others but the optional ones. */
export function assertMembers(value: Json, required: string[], optional: string[] = []): void {
  assert.ok(value !== null && typeof value === "object" && !Array.isArray(value), `no object: ${value}`);
  const names = Object.keys(value).filter((name) => required.includes(name) || !optional.includes(name));
  assert.deepEqual(names.sort(), [...required].sort());
}

export const members = {
  room: ["id", "created_at", "meta"],
  agent: [
    "id",
    "room_id",
    "name",
    "role",
    "joined_at",
    "meta",
    "status",
    "waiting_on",
    "last_heartbeat",
    "alive",
    "secure",
  ],
  agentInCel: [
    "id",
    "name",
    "role",
    "meta",
    "status",
    "waiting_on",
    "joined_at",
    "last_heartbeat",
    "alive",
    "secure",
  ],
  message: [
    "id",
    "room_id",
    "from_agent",
    "to_agent",
    "verified",
    "kind",
    "body",
    "created_at",
    "reply_to",
    "claimed_by",
    "claimed_at",
    "status",
    "claimed_until",
    "fence",
    "attempts",
    "max_attempts",
    "needs",
    "done_at",
    "result_id",
    "failure",
  ],
  written: ["room_id", "scope", "key", "value", "version", "updated_at"],
  entry: [
    "room_id",
    "scope",
    "key",
    "value",
    "version",
    "updated_at",
    "updated_by",
    "verified_by",
    "expires_at",
  ],
  view: [
    "room_id",
    "scope",
    "key",
    "value",
    "expr",
    "as",
    "version",
    "updated_at",
    "updated_by",
    "verified_by",
    "expires_at",
  ],
  deleted: ["scope", "key", "deleted", "version", "updated_at"],
};

export function assertTime(value: Json): void {
  assert.match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
}

export function assertRecent(value: Json): void {
  assertTime(value);
  const age = Date.now() - Date.parse(value);
  assert.ok(Math.abs(age) < 60_000, `${value} is ${age} ms ago`);
}

export function assertUuid(value: Json): void {
  assert.match(String(value), /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i);
}

/** Asserts an error of the contract, with exactly its members; a hint may always be there. */
export function assertError(reply: Reply, status: number, code: string, more: string[] = []): void {
  assert.deepEqual([reply.status, reply.body?.error], [status, code], reply.text);
  assert.match(reply.headers.get("content-type") ?? "", /^application\/json/);
  assertMembers(reply.body, ["error", "message", "docs", ...more], ["hint"]);
  assert.equal(reply.body.docs, `/docs/errors#${code}`);
  assert.ok(typeof reply.body.message === "string" && reply.body.message.length > 0, reply.text);
  if ("hint" in reply.body) assert.equal(typeof reply.body.hint, "string");
  assert.doesNotMatch(
    reply.body.message + (reply.body.hint ?? ""),
    /\bat \S+ \(|\.ts:\d|file:\/\/|\bSELECT \S+ FROM\b|\bINSERT INTO\b|SQLITE_/,
    "tells of the inside",
  );
}

/** Asserts that a request was refused because of the member at `path`. */
export function assertInvalid(reply: Reply, path?: (string | number)[]): void {
  assertError(reply, 400, "invalid_request", ["issues"]);
  assert.ok(Array.isArray(reply.body.issues) && reply.body.issues.length > 0, reply.text);
  for (const issue of reply.body.issues) {
    assertMembers(issue, ["path", "message"]);
    assert.ok(Array.isArray(issue.path) && typeof issue.message === "string", reply.text);
  }
  const names = reply.body.issues[0].path.filter((name: Json) =>
    typeof name === "string" && name.length < 64
  );
  for (const name of names) assert.ok(reply.body.message.includes(name), `${name} is not in ${reply.text}`);
  if (!path) return;
  const paths = reply.body.issues.map((issue: Json) => JSON.stringify(issue.path));
  assert.ok(paths.includes(JSON.stringify(path)), `${JSON.stringify(path)} is not among ${paths}`);
}

export function assertInvalidExpression(reply: Reply, expression: string, position?: number): void {
  assertError(reply, 400, "invalid_expression", ["expression", "position"]);
  assert.equal(reply.body.expression, expression);
  assert.ok(Number.isInteger(reply.body.position), reply.text);
  assert.ok(reply.body.position >= 0 && reply.body.position <= expression.length, reply.text);
  if (position !== undefined) assert.equal(reply.body.position, position, reply.text);
}

export function assertEvaluationFailed(reply: Reply, expression: string, code?: string): void {
  assertError(reply, 400, "evaluation_failed", ["expression", "cause"]);
  assert.equal(reply.body.expression, expression);
  assertCause(reply.body.cause, code, ["position"]);
}

/** What tells why an evaluation failed: `cause`, or a view's `error`. */
export function assertCause(cause: Json, code?: string, optional: string[] = []): void {
  assertMembers(cause, ["code", "message"], optional);
  assert.ok(/^[a-z_]+$/.test(cause.code) && cause.message.length > 0, JSON.stringify(cause));
  if (code) assert.equal(cause.code, code, cause.message);
}

/** The `error` of a view, which may say what to write instead. */
export function assertViewError(error: Json, code?: string): void {
  assertCause(error, code, ["hint"]);
}

export function assertStatus(reply: Reply, status: number): void {
  assert.equal(reply.status, status, reply.text);
}

export function assertNoNext(reply: Reply): void {
  assert.equal(Client.next(reply), undefined, reply.headers.get("link") ?? "");
}
