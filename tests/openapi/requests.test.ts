import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import type { DocumentedOperation } from "../../routes/openapi/document.ts";
import type { DocumentedParameter as Parameter } from "../../routes/openapi/parameters.ts";
import { hashOf, makeToken } from "../../db/access/token_text.ts";
import { SERVICE } from "../../db/viewer.ts";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { RIGHTS } from "../../routes/http/callers/rights.ts";
import { type TestApp, withApp } from "../support/app.ts";
import type { Json } from "../support/client.ts";
import { assertDocumented, document, validatorOf } from "../support/documented.ts";
import { bearer } from "../support/tokens.ts";
import { arbitraryOf, namesOf, nearlyOf, ODD, ODD_TEXTS } from "./arbitraries.ts";

/*
 * What the document says of requests against what the service says of them: one that the document allows is never
 * refused as invalid, one that it forbids always is, and every answer is one that it names.
 */

const SEED = Number(Deno.env.get("SEED") ?? 20261128);

interface Operation extends DocumentedOperation {
  method: string;
  path: string;
}

interface Drawn {
  /** An `operationId`: what fails is short to read. */
  id: string;
  parameters: Record<string, string>;
  body: Json;
  token?: string | undefined;
}

const OPERATIONS = new Map<string, Operation>(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [
      operation.operationId,
      { ...operation, method: method.toUpperCase(), path },
    ])
  ),
);

/** Things that are there, so that not every request ends at a room that is not. */
const THERE: Record<string, string> = {
  room: "demo",
  agent: "alice",
  message: "2",
  key: "a",
  scope: "_shared",
};

const IN_ROOM: Record<string, string> = {
  "path room": "demo",
  "path agent": "alice",
  "path message": "2",
};

function parameterOf({ name, schema, allowEmptyValue }: Parameter): fc.Arbitrary<string> {
  if (name === "code") return fc.constant(IN_ROOM["path code"]!); // wrong ones are soon refused
  const text = arbitraryOf(schema, name).map(String);
  const own = THERE[name] === undefined ? [] : [{ weight: 4, arbitrary: fc.constant(THERE[name]) }];
  const empty = allowEmptyValue ? [{ weight: 1, arbitrary: fc.constant("") }] : [];
  return fc.oneof({ weight: 3, arbitrary: text }, ...own, ...empty);
}

const bodyOf = ({ requestBody }: Operation): Json => (requestBody as Json)?.content["application/json"];
const schemaOf = (operation: Operation) => bodyOf(operation)?.schema;
const exampleOf = (operation: Operation) => bodyOf(operation)?.example;

function requestOf(operation: Operation, drawBody = arbitraryOf): fc.Arbitrary<Drawn> {
  const required = operation.parameters.filter((parameter) => parameter.required).map(nameOf);
  const drawn = operation.parameters.map((parameter) => [nameOf(parameter), parameterOf(parameter)]);
  const parameters = fc.record<Record<string, string>>(Object.fromEntries(drawn), { requiredKeys: required });
  const schema = schemaOf(operation);
  const body = schema === undefined ? fc.constant({}) : drawBody(schema);
  return fc.record({ id: fc.constant(operation.operationId), parameters, body }) as fc.Arbitrary<Drawn>;
}

const nameOf = ({ in: place, name }: Parameter) => `${place} ${name}`;

/** Operations whose bodies name an agent, unless a token does. */
const NEED_AGENT = new Set(
  [...OPERATIONS.values()].filter((operation) => {
    const name = schemaOf(operation)?.$ref?.split("/").at(-1);
    const { agent } = (document.components.schemas[name] as Json)?.properties ?? {};
    return /filled in by a token/.test(agent?.description ?? "");
  }).map(({ operationId }) => operationId),
);

/** In quotes and with escapes, a key of this many characters has the twenty that are asked for where no room is named. */
const LONG_KEY = 42;
const QUERY = (name: string) => name.startsWith("query ");

/** Leaves out what the document forbids in words alone: parts of a request that do not go with others. */
const SHORT_MS = 20;

function goingTogether({ id, parameters: drawn, body: { ...body } }: Drawn): Drawn {
  let names = Object.keys(drawn);
  if (id === "createRoom" && !(drawn["header Idempotency-Key"]?.length! >= LONG_KEY)) body.id ??= "demo";
  if (id === "createRoom" && body.locked === true && body.listed === true) delete body.listed;
  if (id === "registerAgent" && body.private === true) body.secure = true;
  if (id === "joinByCode" && !(drawn["header Idempotency-Key"]?.length! >= LONG_KEY)) {
    names = names.filter((name) => name !== "header Idempotency-Key");
  }
  if (NEED_AGENT.has(id)) body.agent ??= "alice"; // where no token fills it in
  if (body.from != null) delete body.from_agent;
  if (body.to != null) delete body.to_agent;
  if (id === "deleteEntry" || id === "releaseReservation") names = names.filter((name) => !QUERY(name));
  if (id === "deleteEntry") body.key ??= "a";
  if (id === "releaseReservation") body.agent ??= "alice";
  // Nothing comes that it could wait for.
  if (Number.isInteger(body.timeout)) body.timeout = Math.min(body.timeout, SHORT_MS);
  const demands = names.filter((name) => /If-(None-)?Match$/.test(name));
  if (id === "writeEntry" || id === "deleteEntry") {
    names = names.filter((name) => !demands.slice(1).includes(name));
    if (demands.length > 0) delete body.if_version;
  }
  return { id, parameters: Object.fromEntries(names.map((name) => [name, drawn[name]!])), body };
}

/** Gives a request the token that it needs, since who is told nothing is not told what is wrong. */
function holding({ member, admin }: Tokens, drawn: Drawn): Drawn {
  const right = RIGHTS[drawn.id];
  return right === "own" || right === "admin" ? { ...drawn, token: right === "own" ? member : admin } : drawn;
}

/** Sends a request; the answer as `assertDocumented` takes it, which it is. */
async function send({ app }: TestApp, drawn: Drawn) {
  const { method, path, parameters, requestBody } = OPERATIONS.get(drawn.id)!;
  let target = path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = drawn.token === undefined ? {} : bearer(drawn.token);
  for (const parameter of parameters) {
    const value = parameter.name === "timeout" ? "0" : drawn.parameters[nameOf(parameter)];
    if (value === undefined) continue;
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query") query.append(parameter.name, value);
    else headers[parameter.name] = value;
  }
  const { timeout = null } = drawn.body;
  const waits = drawn.id === "wait" && (timeout === null || Number.isInteger(timeout) && timeout > 0);
  const body = JSON.stringify(waits ? { ...drawn.body, timeout: 0 } : drawn.body);
  const url = `http://localhost${target}${query.size > 0 ? `?${query}` : ""}`;
  const response = await app.request(url, { method, headers, ...(requestBody && { body }) });
  const streamed = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (streamed) await response.body!.cancel();
  const text = streamed ? "" : await response.text();
  const json = response.headers.get("content-type")?.includes("json");
  const reply = { url, status: response.status, headers: response.headers, text, revision: undefined };
  const answer = { ...reply, body: json ? JSON.parse(text) : undefined };
  assertDocumented(method, answer);
  return answer;
}

interface Tokens {
  member: string;
  admin: string;
}

/** Makes a room with something of everything. Returns tokens of it, and sets the code that invites to it. */
async function furnish({ json, services: { database } }: TestApp): Promise<Tokens> {
  await json("POST", "/rooms", { id: "demo" });
  await json("POST", "/rooms/demo/agents", { id: "alice", name: "Alice" });
  const { body } = await json("POST", "/rooms/demo/messages", { body: 1 });
  assert.equal(String(body.id), THERE.message);
  await json("PUT", "/rooms/demo/state", { key: "a", value: 1 });
  await json("PUT", "/rooms/demo/state", { scope: "_view", key: "v", expr: "state._shared.a" });
  const invited = await json("POST", "/rooms/demo/invites", { role: "member", uses: 100 });
  IN_ROOM["path code"] = invited.body.code;
  const warden = await json("POST", "/rooms/demo/agents", { id: "warden", name: "Warden", secure: true });
  const admin = makeToken("admin", false, database.randomBytes());
  const sql =
    `INSERT INTO tokens (room_id, id, hash, role, created_at) VALUES ('demo', 'root', :hash, 'admin', '')`;
  await database.commit(SERVICE, [{ sql, args: { hash: hashOf(admin) } }]);
  return { member: warden.body.token, admin };
}

const unlimited = { fairUse: { ...FAIR_USE, roomPerSecond: 0 } };

Deno.test(`a request that the document allows is not refused as invalid, seed ${SEED}`, () =>
  withApp(async (t) => {
    await furnish(t);
    const request = fc.oneof(
      ...[...OPERATIONS.values()].map((operation) => requestOf(operation).map(goingTogether)),
    );
    await fc.assert(
      fc.asyncProperty(request, async (drawn) => {
        const { status, text } = await send(t, drawn);
        assert.ok(status !== 400 || !text.includes('"invalid_request"') || isInWords(text), text);
      }),
      { numRuns: 400, seed: SEED },
    );
  }, unlimited));

/** The grammar of globs is told in words, with a position, and how the ids of secure agents look. */
const isInWords = (text: string) => /\(position \d+\)|where the agent is secure/.test(text);

/** What a body's handler says of it that the document has no words for. */
const judgedLater = ({ status, text }: { status: number; text: string }) =>
  status === 413 || text.includes('"invalid_expression"') || isInWords(text);

Deno.test(`a body is taken if and only if the document allows it, seed ${SEED}`, () =>
  withApp(async (t) => {
    const tokens = await furnish(t);
    const seen = { taken: 0, refused: 0 };

    async function judge(drawn: Drawn): Promise<void> {
      const { path, method } = OPERATIONS.get(drawn.id)!;
      const place = ["paths", path, method.toLowerCase(), "requestBody", "content", "application/json"];
      const allowed = validatorOf([...place, "schema"])(drawn.body);
      const answer = await send(t, holding(tokens, drawn));
      if (judgedLater(answer)) return;
      assert.equal(answer.text.includes('"invalid_request"'), !allowed, JSON.stringify(drawn) + answer.text);
      seen[allowed ? "taken" : "refused"]++;
    }

    const operations = [...OPERATIONS.values()].filter(schemaOf);
    const parameters = { ...IN_ROOM };
    for (const operation of operations) {
      for (const name of namesOf(schemaOf(operation))) {
        for (const odd of ODD) {
          const body = { ...exampleOf(operation), [name]: odd };
          await judge(goingTogether({ id: operation.operationId, parameters, body }));
        }
      }
    }
    const request = fc.oneof(...operations.map((operation) =>
      requestOf(operation, nearlyOf).map(({ id, body }) => goingTogether({ id, parameters, body }))
    ));
    await fc.assert(fc.asyncProperty(request, judge), { numRuns: 400, seed: SEED });
    assert.ok(seen.taken > 300 && seen.refused > 300, JSON.stringify(seen));
  }, unlimited));

Deno.test("a parameter is refused if and only if the document forbids it", () =>
  withApp(async (t) => {
    const tokens = await furnish(t);
    const seen = { taken: 0, refused: 0 };
    for (const operation of OPERATIONS.values()) {
      for (const parameter of operation.parameters.filter(isJudged)) {
        for (const text of ODD_TEXTS.filter((text) => parameter.in === "query" || /^[!-~]+$/.test(text))) {
          const { if_version: _, [parameter.name]: __, ...body } = exampleOf(operation) ?? {};
          const parameters = { ...IN_ROOM, "query condition": "true", [nameOf(parameter)]: text };
          const asked = { id: operation.operationId, parameters, body };
          const answer = await send(t, holding(tokens, asked));
          if (judgedLater(answer)) continue;
          const refused = /"(invalid_request|agent_not_found)"/.test(answer.text);
          const told = `${operation.operationId}, ${nameOf(parameter)}: ${text}\n${answer.text}`;
          assert.equal(refused, !allows(parameter.schema, text), told);
          seen[refused ? "refused" : "taken"]++;
        }
      }
    }
    assert.ok(seen.taken > 100 && seen.refused > 100, JSON.stringify(seen));
  }, unlimited));

/**
 * Whether the service refuses what the document forbids. By the contract a path that leads nowhere is a 404 and a flag
 * is set by `true` alone; times are taken in more forms than the document names.
 */
function isJudged({ in: place, name, schema: { type, format } }: Parameter): boolean {
  return place !== "path" && type !== "boolean" && format !== "date-time" && name !== "timeout";
}

const ajv = new Ajv2020({ strict: false });

function allows(schema: Json, text: string): boolean {
  if (schema.type === "integer") return /^\d+$/.test(text) && Number(text) >= schema.minimum;
  return ajv.validate(schema, text);
}

Deno.test("where the document says that a token fills in the agent it does, and nothing else does", () =>
  withApp(async (t) => {
    const { member: token } = await furnish(t);
    assert.equal(NEED_AGENT.size, 9);
    for (const id of NEED_AGENT) {
      const parameters = { ...IN_ROOM, "path reservation": "1" };
      const { agent: _, ...body } =
        goingTogether({ id, parameters, body: exampleOf(OPERATIONS.get(id)!) }).body;
      const asked = { id, parameters, body };
      assert.match((await send(t, asked)).text, /"invalid_request"/, id);
      assert.doesNotMatch((await send(t, { ...asked, token })).text, /"(invalid_request|forbidden)"/, id);
    }
  }, unlimited));
