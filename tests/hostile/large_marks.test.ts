import type { Client } from "@libsql/client";
import assert from "node:assert/strict";
import { insertMany, onFilled } from "../support/filled.ts";
import { type Asked, take } from "./large_answers.ts";

const AGENTS = 1_000;
const MARKS = 2_000;
const NOW = "2026-01-01T00:00:00.000Z";
/** Two bytes a character, as many as a condition may have: all marks that one read shows exceed a server's 10 MiB. */
const CONDITION = `"${"é".repeat(4_000)}" == ""`;

/** Fills a room in which every agent waits twice, and one whose only agent has thousands of waits. */
async function fill(database: Client) {
  const until = Date.now() + 3_600_000;
  for (const [room, agents] of [["all wait", AGENTS], ["one waits", 1]] as const) {
    await database.execute(`
      INSERT INTO rooms (id, created_at, meta, revision, agents_revision, agent_count, due)
      VALUES ('${room}', '${NOW}', '{}', 9999, 9999, ${agents}, ${until})`);
    await insertMany(
      database,
      `INSERT INTO agents (room_id, id, name, role, meta, status, joined, joined_at, last_heartbeat, revision)
       SELECT '${room}', 'a' || i, 'n', 'r', '{}', 'idle', i, '${NOW}', '${NOW}', 2000 + i FROM n`,
      agents,
    );
    // In parts, since a server takes a statement's rows into memory.
    for (let first = 0; first < MARKS; first += 200) {
      const sql = `
        WITH RECURSIVE n (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${first + 199})
        INSERT INTO waits (room_id, agent_id, token, waiting_on, until, revision)
        SELECT '${room}', 'a' || (1 + i % ${agents}), i, :condition || ' || ' || i, ${until}, i FROM n`;
      await database.execute({ sql, args: { condition: CONDITION } });
    }
  }
}

const wait = (room: string, include: string): Asked => ({
  method: "POST",
  path: `/rooms/${room}/wait`,
  body: { condition: "true", include },
});
const evaluate = (room: string, expr: string): Asked => ({
  method: "POST",
  path: `/rooms/${room}/eval`,
  body: { expr },
});
const of = (room: string): Asked[] => [
  { method: "GET", path: `/rooms/${room}/agents` },
  { method: "GET", path: `/rooms/${room}/changes?after=0&limit=1000` },
  { method: "GET", path: `/rooms/${room}/events?after=0`, most: 5_000 },
  { method: "GET", path: `/?room=${room}` },
  wait(room, "agents"),
  wait(room, "changes:after:0"),
  evaluate(room, "size(agents)"),
  evaluate(room, "agents.exists(id, agents[id].status == 'idle')"),
];

onFilled(fill, {
  "a room shows all marks of its agents, however long they are together": async ({ url }) => {
    for (const asked of [...of("all wait"), ...of("one waits")]) await take(url, asked);
    const names = Array.from({ length: 120 }, (_, n) => `agents.a${n + 1}.status`);
    await take(url, evaluate("all wait", `[${names}]`));
  },
  "each agent of a room that is read in pages shows its newest wait": async ({ url }) => {
    const response = await fetch(`${url}/rooms/all wait/agents`);
    for (const [n, { waiting_on }] of (await response.json()).entries()) {
      assert.equal(waiting_on.split(" || ").at(-1), String(AGENTS + n));
    }
    const walked = new Map<string, string>();
    for (let path: string | undefined = "/rooms/all wait/changes?after=0&limit=1000"; path;) {
      const page: Response = await fetch(url + path);
      const { agents, more, revision } = await page.json();
      for (const { id, waiting_on } of agents) walked.set(id, waiting_on.split(" || ").at(-1));
      path = more ? `/rooms/all wait/changes?after=${revision}&limit=1000` : undefined;
    }
    assert.deepEqual(
      [...walked].map(([id, last]) => [id, Number(last) - AGENTS + 1]),
      Array.from({ length: AGENTS }, (_, n) => [`a${n + 1}`, n + 1]),
    );
  },
  "an agent registers again, however many waits it has": async ({ url }) => {
    for (const headers of [undefined, { "Idempotency-Key": "again" }]) {
      const asked = {
        method: "POST",
        path: "/rooms/one waits/agents",
        body: { id: "a1", name: "n" },
        headers,
      };
      assert.ok(await take(url, asked) < 20_000);
    }
  },
});
