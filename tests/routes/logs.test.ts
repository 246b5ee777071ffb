import assert from "node:assert/strict";
import type { Connection } from "../../db/driver/connection.ts";
import { withApp } from "../support/app.ts";
import { Client } from "../support/client.ts";
import { DATABASES } from "../support/databases.ts";
import { HEADERS, message } from "../support/mcp.ts";
import { startService } from "../support/service.ts";
import { bearer } from "../support/tokens.ts";

/** What a log is not to hold, in what only this test sends. */
const [BODY, QUERY, KEY] = ["Body1Marker", "Query2Marker", "Key3Marker"];

type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<void>;

/** Sends what is right, wrong and refused, with tokens, codes, bodies and queries. Returns the tokens and codes. */
async function sendAll(t: Client, room: string, known: { token: string; code: string }): Promise<void> {
  const ask: Ask = async (method, path, body, headers) => {
    const response = await fetch(new URL(path, t.url), {
      method,
      headers,
      ...body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) },
    });
    await response.text();
  };
  const good = bearer(known.token);
  const bad = bearer(known.token.slice(0, -1));
  const at = (path: string) => `/rooms/${room}${path}`;
  for (const headers of [good, bad, {}]) {
    await ask("POST", at("/messages"), { body: BODY, kind: BODY }, {
      ...headers,
      "Idempotency-Key": `${KEY}${KEY}`,
    });
    await ask("POST", at("/messages"), `{"body": ${BODY}`, headers);
    await ask("PUT", at("/state"), { key: BODY, value: { [BODY]: BODY }, if: `state.${BODY}.x ==` }, headers);
    await ask("PUT", at("/state"), { key: "k", value: BODY, if: `1 / 0 == ${BODY.length}` }, headers);
    await ask("GET", at(`/state?key=${QUERY}&${QUERY}=1`), undefined, headers);
    await ask("GET", at(`/wait?condition=${QUERY}&timeout=0`), undefined, headers);
    await ask("GET", `/?room=${room}&expr=${QUERY}`, undefined, headers);
    await ask("GET", `/nothing/${QUERY}?token=${known.token}`, undefined, headers);
    await ask("POST", "/mcp", message("tools/call", { name: "evaluate", arguments: { room, expr: BODY } }), {
      ...HEADERS,
      ...headers,
    });
    await ask("POST", "/mcp", `{"${BODY}":`, { ...HEADERS, ...headers });
  }
  await ask("GET", `/join/${known.code}`);
  await ask("GET", `/join/${known.code.slice(0, -1)}0`);
  await ask("POST", `/join/${known.code}`, { agent: BODY, meta: { [BODY]: 1 } });
}

/** Asserts that lines of a log hold nothing of what was sent. */
function assertClean(lines: readonly string[], known: { token: string; code: string }): void {
  const log = lines.join("\n");
  const secrets = [known.token, known.token.slice(0, -1), "cvn_", known.code, known.code.replace("-", "")];
  for (const marker of [BODY, QUERY, KEY, ...secrets]) assert.ok(!log.includes(marker!), `${marker}: ${log}`);
  assert.doesNotMatch(log, /\?(room|key|token|expr|condition)=|Bearer /);
}

for (const [kind, open] of Object.entries(DATABASES)) {
  Deno.test(`${kind}: a log holds no token, code, key, body or query of an address, whatever happens`, async () => {
    const database = await open();
    const service = await startService({ database: database.url });
    let isAway = false;
    try {
      const t = new Client(service.url);
      const { id: room, token } = (await t.post("/rooms", { locked: true })).body;
      const invite = await t.request("POST", `/rooms/${room}/invites`, {
        body: { role: "member" },
        headers: bearer(token),
      });
      const known = { token, code: invite.body.code };
      await sendAll(t, room, known);
      // The database goes away under the requests, which then are logged.
      await database.stop();
      isAway = true;
      if (kind === "libsql") await sendAll(t, room, known);
      await service.stop();
      assertClean([...service.printed, ...service.complaints], known);
      if (kind === "libsql") assert.match(service.complaints.join("\n"), /The database does not answer/);
    } finally {
      await service.stop();
      if (!isAway) await database.stop();
    }
  });
}

/** A connection whose statements with what was sent are no SQL. */
function broken(connection: Connection): Connection {
  const breaks = (args: object) => /Marker/.test(JSON.stringify(args));
  return {
    send: (statements, mode) =>
      connection.send(
        statements.map((statement) =>
          breaks(statement.args) ? { ...statement, sql: `${statement.sql} ] broken` } : statement
        ),
        mode,
      ),
    close: () => connection.close(),
  };
}

Deno.test("an unexpected error is logged without what the request brought", async () => {
  const lines: string[] = [];
  const log = console.error;
  console.error = (...all: unknown[]) =>
    void lines.push(all.map((one) => Deno.inspect(one, { depth: 9 })).join(" "));
  try {
    await withApp(async ({ request }) => {
      await (await request("POST", "/rooms", { id: "r" })).text();
      const statuses = [];
      for (
        const [method, path, body] of [
          ["POST", "/rooms/r/messages", { body: BODY, kind: BODY }],
          ["PUT", "/rooms/r/state", { key: "k", value: BODY, if_version: 0 }],
          ["GET", `/rooms/r/state?key=${QUERY}`],
          ["POST", "/rooms/r/agents", { id: "ann", name: BODY, meta: { [BODY]: BODY } }],
        ] as const
      ) {
        const response = await request(method, path, body, { Authorization: "Basic Key3Marker" });
        statuses.push(response.status);
        assert.doesNotMatch(await response.text(), /Marker|broken/);
      }
      assert.ok(statuses.every((status) => status >= 500), `${statuses}`);
    }, { wrap: broken });
  } finally {
    console.error = log;
  }
  assert.ok(lines.length > 0);
  for (const marker of [BODY, QUERY, KEY]) {
    assert.ok(!lines.join("\n").includes(marker!), `${marker}: ${lines.join("\n")}`);
  }
});
