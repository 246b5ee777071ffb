import assert from "node:assert/strict";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { createBatchQueue } from "../../db/batching/queue.ts";
import type { Coalescer } from "../../db/batching/groups.ts";
import type { Row, Statement } from "../../db/driver/statement.ts";
import { EVERYBODY, SERVICE } from "../../db/viewer.ts";

const statementsOf = (...names: string[]): Statement[] => names.map((sql) => ({ sql, args: {} }));
const echo = (statements: Statement[]): Row[][] => statements.map(({ sql }) => [{ sql }]);

/** A database whose batches the test answers one by one. */
function heldDatabase() {
  const batches: Array<{ names: string[]; answer(): void; fail(error: unknown): void }> = [];
  let arrived = Promise.withResolvers<void>();
  return {
    batches,
    next: () => arrived.promise,
    send(statements: Statement[]): Promise<Row[][]> {
      const { promise, resolve, reject } = Promise.withResolvers<Row[][]>();
      batches.push({
        names: statements.map(({ sql }) => sql),
        answer: () => resolve(echo(statements)),
        fail: reject,
      });
      arrived.resolve();
      arrived = Promise.withResolvers();
      return promise;
    },
  };
}

/** Answers so many batches, each as soon as it has come. */
async function answerAll({ batches, next }: ReturnType<typeof heldDatabase>, count: number) {
  for (let sent = 1; sent <= count; sent++) {
    const following = sent < count ? next() : undefined;
    batches[sent - 1]!.answer();
    await following;
  }
}

const LIMITS = { inFlight: 1, apart: 0, weight: 100, readOnly: false, expected: () => 0, patience: 1_000 };
const sqlError = (code: string, statementIndex?: number) =>
  Object.assign(new Error(code), { code, statementIndex });

Deno.test("what arrives while a batch is under way travels in the next one", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, LIMITS);
  const begun = database.next();
  const first = queue.submit(SERVICE, statementsOf("a"));
  await begun;
  const others = [queue.submit(SERVICE, statementsOf("b", "c")), queue.submit(SERVICE, statementsOf("d"))];
  const second = database.next();
  database.batches[0]!.answer();
  await second;
  assert.deepEqual(database.batches.map(({ names }) => names), [["a"], ["b", "c", "d"]]);
  database.batches[1]!.answer();
  assert.deepEqual(await first, [[{ sql: "a" }]]);
  assert.deepEqual(await Promise.all(others), [[[{ sql: "b" }], [{ sql: "c" }]], [[{ sql: "d" }]]]);
});

Deno.test("equal reads of a viewer that wait together are one, and none joins a read that is on its way", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, { ...LIMITS, readOnly: true });
  const begun = database.next();
  const onItsWay = queue.submit(SERVICE, statementsOf("a"));
  await begun;
  const read = (viewer = SERVICE, ...names: string[]) => queue.submit(viewer, statementsOf(...names));
  const equal = [read(SERVICE, "a"), read(SERVICE, "a"), read(SERVICE, "a")];
  const others = [read(EVERYBODY, "a"), read(SERVICE, "b"), read(SERVICE, "a", "b")];
  const other = queue.submit(SERVICE, [{ sql: "a", args: { of: 1 } }]);
  const second = database.next();
  database.batches[0]!.answer();
  await second;
  assert.deepEqual(database.batches.map(({ names }) => names), [["a"], ["a", "a", "b", "a", "b", "a"]]);
  database.batches[1]!.answer();
  const [first, ...joined] = await Promise.all(equal);
  first!.shift()!.shift();
  for (const rows of joined) assert.deepEqual(rows, [[{ sql: "a" }]]);
  assert.deepEqual((await Promise.all([onItsWay, other, ...others])).map((rows) => rows.length), [
    1,
    1,
    1,
    1,
    2,
  ]);
});

Deno.test("equal items of a viewer that wait together are one, and no item joins one that is on its way", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, { ...LIMITS, readOnly: true });
  const [kind, like] = [0, 1].map((): Coalescer<string[], number> => ({
    statements: (items) => statementsOf(items.join(" ")),
    results: (items) => items.map((_, n) => n),
  }));
  const begun = database.next();
  const onItsWay = queue.submitCoalesced(SERVICE, kind!, ["a"]);
  await begun;
  const read = (item: string[], viewer = SERVICE) => queue.submitCoalesced(viewer, kind!, item);
  const all = [read(["a"]), read(["b"]), read(["a"]), read(["a", "b"]), read(["b"]), read(["a"], EVERYBODY)];
  const other = queue.submitCoalesced(SERVICE, like!, ["a"]);
  const second = database.next();
  database.batches[0]!.answer();
  await second;
  assert.deepEqual(database.batches.map(({ names }) => names), [["a"], ["a b a,b a", "a"]]);
  database.batches[1]!.answer();
  assert.deepEqual(await Promise.all([onItsWay, ...all, other]), [0, 0, 1, 0, 2, 1, 3, 0]);
});

Deno.test("a batch holds up the next for a while, so that more travel in it, and no longer", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, { ...LIMITS, inFlight: 2, apart: 100 });
  const begun = database.next();
  const first = queue.submit(SERVICE, statementsOf("a"));
  await begun;
  const second = database.next();
  const others = [queue.submit(SERVICE, statementsOf("b"))];
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  others.push(queue.submit(SERVICE, statementsOf("c")));
  await second;
  assert.deepEqual(database.batches.map(({ names }) => names), [["a"], ["b", "c"]]);
  for (const { answer } of database.batches) answer();
  await Promise.all([first, ...others]);
});

Deno.test("a batch that is answered holds up nobody, whatever else is under way", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, { ...LIMITS, inFlight: 2, apart: 3 }, () => 0);
  const submitted: Promise<unknown>[] = [];
  const submit = (name: string) => submitted.push(queue.submit(SERVICE, statementsOf(name)));
  const turns = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  for (const name of ["slow", "quick"]) {
    const sent = database.next();
    submit(name);
    await sent;
  }
  database.batches[1]!.answer();
  await turns();
  submit("next");
  await turns();
  assert.deepEqual(database.batches.map(({ names }) => names), [["slow"], ["quick"], ["next"]]);
  for (const { answer } of database.batches) answer();
  await Promise.all(submitted);
});

Deno.test("a batch is bounded, but a job is never split", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, { ...LIMITS, weight: 3 });
  const begun = database.next();
  const jobs = [["a", "b"], ["c"], ["d", "e"], ["f", "g", "h", "i"]].map((names) =>
    queue.submit(SERVICE, statementsOf(...names))
  );
  await begun;
  await answerAll(database, 3);
  await Promise.all(jobs);
  assert.deepEqual(database.batches.map(({ names }) => names.join("")), ["abc", "de", "fghi"]);
});

/** The sizes of the batches that follow on a first one of 10 jobs, which takes some time while 54 more arrive. */
async function sizesAfter(took: number): Promise<number[]> {
  let time = 0;
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, LIMITS, () => time);
  const submit = (count: number) =>
    Array.from({ length: count }, () => queue.submit(SERVICE, statementsOf("a")));
  let begun = database.next();
  const jobs = submit(10);
  await begun;
  jobs.push(...submit(54));
  for (let answered = 0, sent = 10;; answered++) {
    time += took;
    begun = database.next();
    database.batches[answered]!.answer();
    if (sent === jobs.length) break;
    await begun;
    sent += database.batches.at(-1)!.names.length;
  }
  await Promise.all(jobs);
  return database.batches.slice(1).map(({ names }) => names.length);
}

Deno.test("a near database works at one half while the other is answered, a far one at all", async () => {
  assert.deepEqual(await sizesAfter(3), [32, 22]);
  assert.deepEqual(await sizesAfter(50), [54]);
});

Deno.test("light jobs pass heavy ones that do not fit beside each other, and the first is never passed", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, { ...LIMITS, weight: 10 });
  const begun = database.next();
  const jobs = [["a", 7], ["b", 7], ["c", 1], ["d", 7], ["e", 2]].map(([name, weight]) =>
    queue.submit(SERVICE, [{ sql: name as string, args: {}, weight: weight as number }])
  );
  await begun;
  await answerAll(database, 3);
  await Promise.all(jobs);
  assert.deepEqual(database.batches.map(({ names }) => names.join("")), ["ace", "b", "d"]);
});

Deno.test("who asks for little waits for no heavy job, and heavy ones have their turn all the same", async () => {
  const { send, batches } = heldDatabase();
  const queue = createBatchQueue(send, { ...LIMITS, weight: 32, inFlight: 2 });
  const submit = (name: string, weight: number) => queue.submit(SERVICE, [{ sql: name, args: {}, weight }]);
  /** The names of so many batches, once they have come. */
  const come = async (count: number) => {
    while (batches.length < count) await new Promise((resolve) => setImmediate(resolve));
    return batches.map(({ names }) => names.join(" "));
  };
  const jobs = [submit("a", 40), submit("b", 17), submit("c", 17), submit("light", 1)];
  assert.deepEqual(await come(2), ["light", "a"]);
  jobs.push(submit("another", 1), submit("third", 1));
  batches[0]!.answer();
  assert.deepEqual((await come(3)).slice(2), ["another third"], "the heavy one is still under way");
  batches[1]!.answer();
  assert.deepEqual((await come(4)).slice(3), ["b"]);
  batches[3]!.answer();
  assert.deepEqual((await come(5)).slice(4), ["c"]);
  for (const { answer } of batches) answer();
  await Promise.all(jobs);
});

Deno.test("a heavy job has its turn where batches are answered at once, though light ones never cease", async () => {
  let now = 0;
  const sent: string[] = [];
  const queue = createBatchQueue(
    (statements) => {
      now += 100;
      sent.push(...statements.map(({ sql }) => sql));
      return Promise.resolve(echo(statements));
    },
    { ...LIMITS, weight: 32, inFlight: 2, apart: 1e9 },
    () => now,
  );
  const submit = (sql: string, weight: number) => queue.submit(SERVICE, [{ sql, args: {}, weight }]);
  let left = 3;
  const heavy = async (name: string) => {
    await submit(name, 40);
    left--;
  };
  const light = async (name: string) => {
    for (let n = 0; left > 0 && n < 60; n++) await submit(`${name}${n}`, 1);
  };
  await Promise.all([light("a"), light("b"), heavy("x"), heavy("y"), heavy("z")]);
  const places = ["x", "y", "z"].map((name) => sent.indexOf(name));
  assert.ok(places[2]! < 40, `they are sent after ${places} others`);
  for (const place of places) assert.match(sent[place + 1]!, /^a/, "light ones have their turn between");
});

Deno.test("a wrong statement fails its own job, the others are sent again", async () => {
  const sent: string[] = [];
  const queue = createBatchQueue(
    (statements) => {
      sent.push(statements.map(({ sql }) => sql).join(" "));
      const wrong = statements.findIndex(({ sql }) => sql === "wrong");
      return wrong < 0 ? Promise.resolve(echo(statements)) : Promise.reject(sqlError("SQLITE_ERROR", wrong));
    },
    LIMITS,
  );
  const [good, bad, fine] = [
    queue.submit(SERVICE, statementsOf("a", "b")),
    queue.submit(SERVICE, statementsOf("c", "wrong")),
    queue.submit(SERVICE, statementsOf("d")),
  ];
  await assert.rejects(bad, { code: "SQLITE_ERROR" });
  assert.equal((await good).length + (await fine).length, 3);
  assert.deepEqual(sent, ["a b c wrong d", "a b d"]);
});

Deno.test("a busy database is asked again, until the patience is over", async () => {
  let time = 0;
  let asked = 0;
  const busy = createBatchQueue(
    () => {
      asked++;
      time += 400;
      return Promise.reject(sqlError("SQLITE_BUSY"));
    },
    LIMITS,
    () => time,
  );
  await assert.rejects(
    busy.submit(SERVICE, statementsOf("a")),
    (error) => error instanceof DatabaseUnavailable && !error.unknown,
  );
  assert.equal(asked, 3);

  let refusals = 2;
  const relenting = createBatchQueue(
    (statements) =>
      refusals-- > 0 ? Promise.reject(sqlError("SQLITE_BUSY")) : Promise.resolve(echo(statements)),
    LIMITS,
  );
  assert.deepEqual(await relenting.submit(SERVICE, statementsOf("a")), [[{ sql: "a" }]]);
});

Deno.test("what goes first overtakes others in every other batch, and keeps none of them waiting for ever", async () => {
  const database = heldDatabase();
  const queue = createBatchQueue(database.send, { ...LIMITS, weight: 1 });
  const begun = database.next();
  const all = [queue.submit(SERVICE, statementsOf("a"))];
  await begun;
  for (const name of ["b", "c", "d"]) all.push(queue.submit(SERVICE, statementsOf(name)));
  for (const name of ["1", "2", "3"]) all.push(queue.submit(SERVICE, statementsOf(name), { first: true }));
  await answerAll(database, all.length);
  await Promise.all(all);
  assert.deepEqual(database.batches.flatMap(({ names }) => names), ["a", "b", "1", "c", "2", "d", "3"]);
});

Deno.test("a lost answer leaves the outcome unknown, a refusing disk does not", async () => {
  for (
    const [error, unknown] of [[new TypeError("connection reset"), true], [
      sqlError("SQLITE_FULL"),
      false,
    ]] as const
  ) {
    const queue = createBatchQueue(() => Promise.reject(error), LIMITS);
    await assert.rejects(
      queue.submit(SERVICE, statementsOf("a")),
      (fault) => fault instanceof DatabaseUnavailable && fault.unknown === unknown && fault.cause === error,
    );
  }
});

Deno.test("requests of a kind are coalesced into shared statements and each gets its own answer", async () => {
  const sent: string[] = [];
  const queue = createBatchQueue(
    (statements) => {
      sent.push(statements.map(({ sql }) => sql).join(" "));
      return Promise.resolve(statements.map(({ sql }) => sql.split("+").map((name) => ({ name }))));
    },
    LIMITS,
  );
  const coalescer = {
    statements: (names: string[]) => [{ sql: names.join("+"), args: {} }],
    results: (names: string[], [rows]: Row[][]) => names.map((_, n) => rows![n]!.name),
  };
  const answers = [
    queue.submitCoalesced(EVERYBODY, coalescer, "a"),
    queue.submit(SERVICE, statementsOf("x")),
    queue.submitCoalesced(EVERYBODY, coalescer, "b"),
  ];
  assert.deepEqual(await Promise.all(answers), ["a", [[{ name: "x" }]], "b"]);
  assert.deepEqual(sent, ["a+b x"]);
});

Deno.test("no statement that judges nobody serves two viewers of writes, and each gets its own answer", async () => {
  const sent: string[][] = [];
  const queue = createBatchQueue((statements) => {
    sent.push(statements.map(({ sql }) => sql));
    return Promise.resolve(statements.map(({ sql }) => [{ sql }]));
  }, LIMITS);
  const coalescer = {
    statements: (items: string[]) => [{ sql: items.join("+"), args: {} }],
    results: (items: string[], [rows]: Row[][]) => items.map(() => rows![0]!.sql),
  };
  // Two requests of one viewer, each with an object of its own.
  const viewers = [{ key: "ann" }, { key: "bob" }, { key: "ann" }];
  const answers = viewers.map((viewer, n) => queue.submitCoalesced(viewer, coalescer, `${viewer.key}${n}`));
  assert.deepEqual(await Promise.all(answers), ["ann0+ann2", "bob1", "ann0+ann2"]);
  assert.deepEqual(sent, [["ann0+ann2", "bob1"]], "in one round trip");
});

Deno.test("a batch waits for requests that are at work and about to join it", async () => {
  let working = 2;
  const sent: number[] = [];
  const send = (statements: Statement[]) => {
    sent.push(statements.length);
    return Promise.resolve(echo(statements));
  };
  const queue = createBatchQueue(send, { ...LIMITS, expected: () => working });
  const first = queue.submit(SERVICE, statementsOf("a"));
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, queue.submit(SERVICE, statementsOf("b"))]);
  assert.deepEqual(sent, [2]);
  working = 2; // one of them never submits: the other is not held up for long
  await queue.submit(SERVICE, statementsOf("c"));
  assert.deepEqual(sent, [2, 1]);
});
