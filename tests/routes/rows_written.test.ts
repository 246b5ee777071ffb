import assert from "node:assert/strict";
import type { Connection } from "../../db/driver/connection.ts";
import { type TestApp, withApp } from "../support/app.ts";

/** Runs a test with the number of rows that its database has written so far, those of triggers among them. */
function withRows(test: (app: TestApp, written: () => number) => Promise<void>): Promise<void> {
  let total = 0;
  const wrap = (connection: Connection): Connection => ({
    async send(statements, mode) {
      const results = await connection.send(statements, mode);
      const [rows] = await connection.send([{ sql: "SELECT total_changes() AS n", args: {} }], "read");
      total = Number(rows![0]!.n);
      return results;
    },
    close: () => connection.close(),
  });
  return withApp((app) => test(app, () => total), { wrap });
}

const MESSAGES = "/rooms/r/messages";
const STATE = "/rooms/r/state";
const task = { kind: "task", body: 1 };

/** A request, the rows that it writes, and those that it wrote before messages were tasks. */
const STEPS: Array<
  [name: string, rows: number, before: number, method: string, path: string, body: unknown]
> = [
  ["a plain post", 3, 2, "POST", MESSAGES, task],
  ["a post of an agent, with its heartbeat and its place among the senders", 5, 4, "POST", MESSAGES, {
    ...task,
    from: "ann",
  }],
  ["a further post", 3, 2, "POST", MESSAGES, task],
  ["a first claim, with the name among those that were used", 5, 2, "POST", `${MESSAGES}/4/claim`, {
    agent: "bob",
  }],
  ["a plain claim", 4, 2, "POST", `${MESSAGES}/2/claim`, { agent: "bob" }],
  ["a claim of what one has", 0, 0, "POST", `${MESSAGES}/2/claim`, { agent: "bob" }],
  ["a refused claim", 0, 0, "POST", `${MESSAGES}/2/claim`, { agent: "eve" }],
  ["a claim with ttl", 4, 2, "POST", `${MESSAGES}/3/claim`, { agent: "bob", ttl: 60 }],
  ["a plain put", 2, 2, "PUT", STATE, { key: "a", value: 1 }],
  ["a put of what is there", 2, 2, "PUT", STATE, { key: "a", value: 2 }],
  ["an increment", 2, 2, "PUT", STATE, { key: "n", increment: 1 }],
  ["a put with ttl", 2, 2, "PUT", STATE, { key: "b", value: 1, ttl: 60 }],
  ["an edit", 2, 2, "PUT", STATE, { key: "l", append: 1 }],
];

/** What tasks have brought to a claim: its attempt, and the counts of its kind; the first one notes its agent. */
const MORE_OF_A_CLAIM = 2;
const MORE_OF_A_FIRST = 3;

Deno.test("tasks cost a claim two rows, a post its kind's counts, and a put none", () =>
  withRows(async ({ json }, written) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    for (const [name, rows, before, method, path, body] of STEPS) {
      const already = written();
      const { status } = await json(method, path, body);
      assert.ok(status < 300 || name === "a refused claim", name);
      assert.equal(written() - already, rows, name);
      const ofClaim = name.startsWith("a first claim") ? MORE_OF_A_FIRST : MORE_OF_A_CLAIM;
      const more = path.endsWith("/claim") ? ofClaim : path === MESSAGES ? 1 : 0;
      assert.ok(rows <= before + more, name);
    }
  }));

Deno.test("what ends a claim writes a bounded number of rows, whatever the room holds", () =>
  withRows(async ({ json }, written) => {
    await json("POST", "/rooms", { id: "r" });
    for (let n = 0; n < 20; n++) await json("POST", MESSAGES, task);
    const rows = async (path: string, body: unknown) => {
      const already = written();
      const reply = await json("POST", path, body);
      assert.equal(reply.status, 200, path);
      return [written() - already, reply.body];
    };
    const [first] = await rows(`${MESSAGES}/1/claim`, { agent: "bob" });
    assert.equal(first, 5, "the name of an agent that claims is noted once");
    const [took, { message_id, fence }] = await rows(`${MESSAGES}/claim`, { agent: "bob" });
    assert.equal(took, 4, "a take is a claim");
    const of = (name: string) => `${MESSAGES}/${message_id}/${name}`;
    const held = { agent: "bob", fence };
    assert.equal((await rows(of("renew"), { ...held, ttl: 60 }))[0], 2);
    // The room, the attempt, the message, its kind, and the room's count of open messages.
    assert.equal((await rows(of("release"), held))[0], 5);
    const again = { agent: "bob", fence: (await rows(of("claim"), { agent: "bob", ttl: 60 }))[1].fence };
    // The same, the result with its sender, the counts of its kind and of the replies.
    assert.ok((await rows(of("complete"), { ...again, result: 1 }))[0] <= 9);
    assert.equal((await rows(of("complete"), { ...again, result: 1 }))[0], 0, "answered again");
  }));

Deno.test("posts of one batch write the counts of each kind once, and puts no more than they did", () =>
  withRows(async ({ json }, written) => {
    await json("POST", "/rooms", { id: "r" });
    const all = async (requests: Array<Promise<unknown>>) => {
      const already = written();
      await Promise.all(requests);
      return written() - already;
    };
    const kinds = ["x", "x", "x", "y", "y"];
    const posts = await all(kinds.map((kind) => json("POST", MESSAGES, { kind, body: 1 })));
    assert.equal(posts, 1 + kinds.length + 2, "the room, the messages, two kinds");
    const puts = await all(kinds.map((_, n) => json("PUT", STATE, { key: `k${n}`, value: 1 })));
    assert.equal(puts, 1 + kinds.length);
  }));
