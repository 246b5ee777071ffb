import assert from "node:assert/strict";
import { createClient } from "@libsql/client/sqlite3";
import { createDatabase } from "../../db/database.ts";
import { FIRST_PAGE_BYTES, type Listing, PAGE_BYTES } from "../../db/consistent_read/listing.ts";
import { selectMoved, selectPage } from "../../db/consistent_read/page_sql.ts";
import { type MessageFilter, selectMessages } from "../../db/messages/listing.ts";
import { connect } from "../../db/driver/open.ts";
import { MIGRATIONS, ROOM_TABLES } from "../../db/driver/schema.ts";
import { selectEntries } from "../../db/state/read.ts";
import { selectFacts } from "../../db/snapshots/message_facts.ts";
import { FAIL_DEPENDENTS } from "../../db/write/leases.ts";
import { createThread } from "../../db/consistent_read/thread.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";
import { withApp } from "../support/app.ts";
import { bearer } from "../support/tokens.ts";
import { SINCE, TOUR } from "../support/tour.ts";

/** The steps by which SQLite would run a statement. Its plan cannot be read within a transaction. */
async function plansOf(
  file: string,
  statements: Iterable<Statement>,
): Promise<Array<{ sql: string; steps: string[] }>> {
  const client = createClient({ url: file });
  const plans = [];
  for (const { sql, args } of statements) {
    const named = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, value as string]));
    const { rows } = await client.execute({ sql: `EXPLAIN QUERY PLAN ${sql}`, args: named });
    plans.push({ sql, steps: rows.map((row) => String(row.detail)) });
  }
  client.close();
  return plans;
}

/** Tables by their names, and by those that statements give them. */
const SCAN = new RegExp(
  `^SCAN (${[...Object.keys(ROOM_TABLES), "entry", "changed", "m", "reply"].join("|")})\\b`,
);

Deno.test("no statement scans a table: cost follows what is asked, not what a room holds", () =>
  withApp(async ({ request, batches, file }) => {
    for (const { request: [method, path, body] } of [...TOUR, ...SINCE]) {
      await (await request(method, path, body)).body?.cancel();
    }
    for (const { name, request: [method, path, body] } of [...TOUR, ...SINCE]) {
      await (await request(method, path, body, { "Idempotency-Key": name })).body?.cancel();
    }
    const statements = new Map(
      batches.flatMap((batch) => batch.statements).map((statement) => [statement.sql, statement]),
    );
    assert.ok(statements.size > 40, `the tour sends ${statements.size} different statements`);

    const found = [];
    for (const { sql, steps } of await plansOf(file, statements.values())) {
      // A list that came as an argument, or the tree of a thread, may be gone through; a table may not.
      const scans = steps.filter((step) => SCAN.test(step));
      // The needs that a post names, at most 32, are sorted in the order in which it names them.
      const isOfNeeds = sql.includes("ORDER BY named.key") && !/ORDER BY (?!named)/.test(sql);
      const isSort = (step: string) => step.includes("TEMP B-TREE") && /\bmessages\b/.test(sql);
      // So are the marks of the agents that changed.
      const isOfMarks = sql.includes("PARTITION BY agent_id");
      const sorts = isOfNeeds || isOfMarks ? [] : steps.filter(isSort);
      if (scans.length > 0 || sorts.length > 0) found.push([sql, ...steps]);
    }
    assert.deepEqual(found, []);
  }));

const INDEXES: Array<[MessageFilter, RegExp]> = [
  [{ limit: 9 }, /autoindex_messages_1 \(room_id=\?\)/],
  [{ limit: 9, newest: true }, /autoindex_messages_1 \(room_id=\?\)/],
  [{ limit: 9, after: 5 }, /autoindex_messages_1 \(room_id=\? AND id>\?\)/],
  [{ limit: 9, after: 5, kind: "k" }, /messages_open_kind \(room_id=\? AND kind=\? AND id>\?\)/],
  [{ limit: 9, after: 5, kind: "k" }, /messages_claimed_kind \(room_id=\? AND kind=\? AND id>\?\)/],
  [
    { limit: 9, after: 5, from: "a" },
    /SEARCH senders .*\(room_id=\? AND agent_id=\? AND block>\? AND block<\?\)\n[^]*autoindex_messages_1 \(room_id=\? AND id>\? AND id<\?\)/,
  ],
  [
    { limit: 9, from: "a", newest: true },
    /SEARCH senders .*\(room_id=\? AND agent_id=\? AND block>\?\)\n[^]*autoindex_messages_1 \(room_id=\? AND id>\? AND id<\?\)/,
  ],
  [
    { limit: 9, from: "a", kind: "k", unclaimed: true },
    /SEARCH senders .*\n[^]*messages_unclaimed \(room_id=\? AND id>\? AND id<\?\)/,
  ],
  [
    { limit: 9, to: "a", kind: "k" },
    /COVERING INDEX sqlite_autoindex_messages_1 \(room_id=\?\)\n[^]*messages_to \(room_id=\? AND to_agent=\? AND id<\?\)/,
  ],
  [{ limit: 9, after: 5, to: "a" }, /messages_to \(room_id=\? AND to_agent=\? AND id>\?\)/],
  [{ limit: 9, unclaimed: true }, /messages_unclaimed \(room_id=\?\)/],
  [
    { limit: 9, unclaimed: true, kind: "k", after: 5 },
    /messages_open_kind \(room_id=\? AND kind=\? AND id>\?\)[^]*messages_addressed_kind \(room_id=\? AND kind=\? AND id>\?\)/,
  ],
  [{ limit: 9, thread: 3 }, /messages_answers \(room_id=\? AND reply_to=\? AND id>\?\)/],
];

Deno.test("which need of a task has failed is looked for among its own needs, not among all that have", () =>
  withApp(async ({ file }) => {
    const args = { room: "r", nonce: "n" };
    const [plan] = await plansOf(file, [{ sql: FAIL_DEPENDENTS, args }]);
    const { steps } = plan!;
    assert.ok(steps.includes("SEARCH needs USING PRIMARY KEY (room_id=? AND message_id=?)"), `${steps}`);
  }));

const firstPage = (listing: Listing) =>
  listing.thread
    ? createThread(listing).statements(undefined, true, FIRST_PAGE_BYTES)[0]!
    : selectPage(listing, { left: 9, bytes: FIRST_PAGE_BYTES });

Deno.test("who sees a private scope finds it by indexes, and others by the statements of any room", () =>
  withApp(async ({ json, request, batches, file }) => {
    await json("POST", "/rooms", { id: "r" });
    const ann = { id: "ann", name: "Ann", secure: true, private: true };
    const { body: { token } } = await json("POST", "/rooms/r/agents", ann);
    const as = bearer(token);
    const ask = async (
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = as,
    ) => {
      const reply = await request(method, path, body, headers);
      assert.ok(reply.ok, await reply.text());
    };
    const writes: Array<Record<string, unknown>> = [{ value: 1 }, { value: [], ttl: 60 }, { append: 1 }, {
      value: 1,
      if: "size(state.ann) > 0",
    }];
    for (const write of writes) await ask("PUT", "/rooms/r/state", { scope: "ann", key: "hand", ...write });
    await ask("PUT", "/rooms/r/state/batch", {
      writes: [{ key: "k", value: 1 }, { scope: "ann", key: "k", value: 1 }],
    });
    await ask("PUT", "/rooms/r/state", { scope: "_view", key: "size", expr: "size(state.ann)" });
    await ask("DELETE", "/rooms/r/state", { scope: "ann", key: "k" });
    const reads: Array<[string, unknown?]> = [
      ["state"],
      ["state?scope=ann"],
      ["state?scope=ann&key=hand"],
      ["state?since=1"],
      ["state?resolve=true"],
      ["changes?after=1"],
      ["agents"],
      ["agents/ann"],
      ["live/entries?scope=ann"],
      ["eval", { expr: "has(state.ann.hand)" }],
      ["eval", { expr: "state" }],
      ["eval", { expr: "[state.ann, state._view.size]" }],
    ];
    const readAs = async (headers: Record<string, string>) => {
      const from = batches.length;
      for (const [path, body] of reads) {
        const answered = headers === as || !path.includes("key=");
        if (answered) await ask(body ? "POST" : "GET", `/rooms/r/${path}`, body, headers);
      }
      return batches.slice(from).flatMap(({ statements }) => statements);
    };
    await readAs(as);
    const statements = new Map(batches.flatMap((batch) => batch.statements).map((each) => [each.sql, each]));
    for (const { sql, steps } of await plansOf(file, statements.values())) {
      assert.deepEqual(steps.filter((step) => SCAN.test(step)), [], sql);
    }
    for (const { sql } of await readAs({})) {
      if (/json_each\(:eyes\)/.test(sql)) continue; // of the view
      assert.doesNotMatch(sql, /secured|tokens/, sql);
    }
  }));

Deno.test("each filter of messages has its index", () =>
  withApp(async ({ file }) => {
    const plans = await plansOf(file, INDEXES.map(([filter]) => firstPage(selectMessages("r", filter))));
    for (const [n, [filter, index]] of INDEXES.entries()) {
      assert.match(plans[n]!.steps.join("\n"), index, JSON.stringify(filter));
    }
  }));

Deno.test("facts about messages are found by indexes, whatever a room holds", () =>
  withApp(async ({ file }) => {
    const asked = { last: true, kind: ["k"], to: ["a"], from: ["a"], id: [3], bodies: true };
    const [facts, messages] = selectFacts("r", asked) as [Statement, Listing];
    const [plan, page] = await plansOf(file, [facts, firstPage(messages)]);
    const steps = plan!.steps.join("\n");
    for (
      const index of [
        /SEARCH messages USING COVERING INDEX sqlite_autoindex_messages_1 \(room_id=\?\)/,
        /SEARCH found USING PRIMARY KEY \(room_id=\? AND kind=\?\)/,
        /SEARCH messages USING COVERING INDEX messages_to \(room_id=\? AND to_agent=\?\)/,
        /SEARCH messages USING INDEX sqlite_autoindex_messages_1 \(room_id=\? AND id>\? AND id<\?\)/,
        /SEARCH senders USING PRIMARY KEY \(room_id=\? AND agent_id=\?\)/,
        /SEARCH found USING PRIMARY KEY \(room_id=\? AND message_id=\?\)/,
        /SEARCH messages USING COVERING INDEX messages_answers \(room_id=\? AND reply_to=\?\)/,
      ]
    ) assert.match(steps, index);
    assert.match(
      page!.steps.join("\n"),
      /SEARCH messages USING INDEX sqlite_autoindex_messages_1 \(room_id=\? AND id=\?\)/,
    );
    for (const { steps } of [plan!, page!]) {
      assert.deepEqual(
        steps.filter((step) =>
          /^SCAN (?!name\b|json_each\b)|TEMP B-TREE FOR (GROUP|DISTINCT)/.test(step) && SCAN.test(step)
        ),
        [],
      );
    }
  }));

Deno.test("what an expression names is found by its key, however many agents a room has", () =>
  withApp(async ({ json, batches, file }) => {
    await json("POST", "/rooms", { id: "r" });
    batches.length = 0;
    const [key, other, ann, bob] = [
      "state._shared.k",
      "state._shared.l",
      "has(agents.ann)",
      "has(agents.bob)",
    ];
    for (
      const named of [[key], [key, other], [ann], [key, ann], [key, other, ann], [ann, bob], ["state.ann"]]
    ) {
      await json("POST", "/rooms/r/eval", { expr: `[${named}]` });
    }
    const plans = await plansOf(file, batches.flatMap(({ statements }) => statements));
    const steps = plans.flatMap(({ steps }) => steps);
    for (const { sql, steps } of plans) {
      const passed = steps.filter((step) =>
        / (agents|waits) .*\(room_id=\?\)$/.test(step) || SCAN.test(step)
      );
      assert.deepEqual(passed, [], sql);
    }
    for (const table of ["agents", "waits", "state"]) {
      assert.ok(steps.some((step) => step.startsWith(`SEARCH ${table} USING`)), table);
    }
  }));

Deno.test("posts call no function: for what may fail, the database copies each page that it changes", () =>
  withApp(async ({ json, batches, file }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/messages", { body: 1 });
    const post = batches.flatMap(({ statements }) => statements).find(({ sql }) =>
      /INTO messages/.test(sql)
    )!;
    const client = createClient({ url: file });
    const { rows } = await client.execute({ sql: `EXPLAIN ${post.sql}`, args: { writes: "[]", nonce: "n" } });
    client.close();
    const steps = rows.map(({ opcode }) => String(opcode));
    assert.ok(steps.includes("IdxInsert"));
    assert.deepEqual(steps.filter((step) => step.endsWith("Func") || step === "Function"), []);
  }));

Deno.test("what changed since a revision is found by an index, not among all keys", () =>
  withApp(async ({ file }) => {
    const [plan] = await plansOf(file, [firstPage(selectEntries(EVERYBODY, "r", { since: 3 })[0]!)]);
    assert.match(plan!.steps.join(), /USING INDEX state_changed \(room_id=\? AND revision>\?\)/);
  }));

Deno.test("a further page of what changed since a revision passes none of the rows before it", () =>
  withApp(async ({ file }) => {
    const listing = selectEntries(EVERYBODY, "r", { since: 3 })[0]!;
    const { sql, args } = selectPage(listing, { last: [7, "s", "k"], left: -1, bytes: PAGE_BYTES });
    const client = createClient({ url: file });
    const { rows } = await client.execute({ sql: `EXPLAIN ${sql}`, args: args as Record<string, string> });
    client.close();
    const steps = rows.map(({ opcode, p4 }) => `${opcode} ${p4 ?? ""}`);
    const seeks = [...steps.keys()].filter((n) => steps[n]!.startsWith("SeekG"));
    assert.equal(seeks.length, 2); // of the edge, and of the rows
    for (const seek of seeks) {
      const bound = steps.slice(steps.lastIndexOf("Variable :room", seek), seek);
      assert.ok(bound.includes("Variable :last_0"), `${bound}`);
    }
  }));

Deno.test("a further page begins at its place, and what has moved is found by an index", () =>
  withApp(async ({ file }) => {
    const [entries, messages, byChange, sent] = [
      selectEntries(EVERYBODY, "r", {})[0]!,
      selectMessages("r", { kind: "k", newest: true, limit: 9 }),
      selectEntries(EVERYBODY, "r", { since: 3 })[0]!,
      selectMessages("r", { from: "a", newest: true, limit: 9 }),
    ];
    const plans = await plansOf(file, [
      selectPage(entries, { last: ["s", "k"], left: -1, bytes: PAGE_BYTES }),
      selectPage(messages, { last: [7], left: 2, bytes: PAGE_BYTES }),
      selectPage(byChange, { last: [7, "s", "k"], left: -1, bytes: PAGE_BYTES }),
      selectPage(sent, { last: [7], left: 2, bytes: PAGE_BYTES }),
      selectMoved(entries, ["s", "k"], 5),
      selectMoved(messages, [7], 5),
    ]);
    const indexes = [
      /autoindex_state_1 \(room_id=\? AND \(scope,key\)>\(\?,\?\)\)/,
      /messages_claimed_kind \(room_id=\? AND kind=\? AND id<\?\)/,
      /state_changed \(room_id=\? AND revision>\?\)/,
      /senders USING PRIMARY KEY \(room_id=\? AND agent_id=\? AND block>\? AND block<\?\)/,
      /state_changed \(room_id=\? AND revision>\?\)/,
      /messages_unclaimed \(room_id=\? AND id>\?.*\n.*messages_claimed \(room_id=\? AND revision>\?/s,
    ];
    indexes.forEach((index, n) => assert.match(plans[n]!.steps.join("\n"), index));
  }));

Deno.test("two instances that start together migrate a new database once", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const open = () => createDatabase({ connect: () => connect(`file:${folder}/convene.db`) });
  const databases = [open(), open(), open()];
  try {
    await Promise.all(databases.map((database) => database.migrate()));
    const [rows] = await databases[0]!.read(SERVICE, [{
      sql: "SELECT id FROM migrations ORDER BY id",
      args: {},
    }]);
    assert.deepEqual(rows!.map(({ id }) => Number(id)), MIGRATIONS.map((_, n) => n + 1));
  } finally {
    for (const database of databases) await database.close();
    await Deno.remove(folder, { recursive: true });
  }
});
