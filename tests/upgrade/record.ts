/**
 * Records what a release says to its database, for the tests of later ones. Run it in the tree of the release:
 *
 *     deno run -A tests/upgrade/record.ts <commit> <date> > tests/upgrade/releases/<date>.json
 */
import type { Row, Statement } from "../../db/driver/statement.ts";
import { MIGRATIONS } from "../../db/driver/schema.ts";
import { withApp } from "../support/app.ts";
import { TOUR } from "../support/tour.ts";
import type { Recording } from "./recording.ts";

const [commit, date] = Deno.args;
if (commit === undefined || date === undefined) throw new Error("Name the release's commit and its date.");

/** The tour in a room of another name. */
const inRoom = (room: string, [method, path, body]: (typeof TOUR)[number]["request"]) =>
  [
    method,
    path.replace(/(\/rooms\/|\?room=)r\b/, `$1${room}`),
    path === "/rooms" && body ? { id: room } : body,
  ] as const;

const sql: string[] = [];
const steps: Recording["before"] = [];

function record(mode: "read" | "write", statements: Statement[], rows: Row[][]) {
  const numbers = statements.map((statement) => {
    const text = statement.sql.replaceAll(/\s+/g, " ").trim();
    if (!sql.includes(text)) sql.push(text);
    return sql.indexOf(text);
  });
  steps.push({
    mode,
    statements: statements.map(({ args, single }, n) => ({
      sql: numbers[n]!,
      args,
      ...(single && { single }),
    })),
    rows,
  });
}

await withApp(async ({ request }) => {
  const tour = async (room: string, keyed: boolean) => {
    for (const { name, request: stop } of TOUR) {
      const [method, path, body] = inRoom(room, stop);
      if (keyed && method === "GET") continue;
      await (await request(method, path, body, keyed ? { "Idempotency-Key": `${name} ${room}` } : {})).text();
    }
  };
  sql.length = steps.length = 0; // without its migrations
  await tour("r", false);
  const before = steps.splice(0).filter(({ mode }) => mode === "write").map(({ rows: _, ...step }) => ({
    ...step,
    rows: [],
  }));
  await tour("s", false);
  await tour("t", true);
  const recording: Recording = { commit, date, migrations: MIGRATIONS.length, sql, before, after: steps };
  console.log(JSON.stringify(recording));
}, {
  wrap: (connection) => ({
    async send(statements, mode) {
      const rows = await connection.send(statements, mode);
      record(mode, statements, rows);
      return rows;
    },
    close: () => connection.close(),
  }),
});
