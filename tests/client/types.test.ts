import assert from "node:assert/strict";
import { connect, type Json, type Write } from "../../client/mod.ts";

interface Part {
  name: string;
  lines?: number;
}
interface Task {
  file: string;
  parts: readonly Part[];
  /** A type that contains itself. */
  next: Task | null;
}
interface Job {
  run(): void;
}

const task: Task = { file: "a.ts", parts: [{ name: "f", lines: undefined }], next: null };
const job: Job = { run() {} };
const sent: unknown[] = [];
const convene = connect("http://service", {
  fetch: (_, init) => {
    sent.push(JSON.parse(String(init?.body)));
    return Promise.resolve(new Response('{"id":"r","state":[]}'));
  },
});
const { state, messages } = convene.room("r");

Deno.test("interfaces are values, wherever one is sent", async () => {
  const as = { file: "a.ts", parts: [{ name: "f" }], next: null };
  await state.put("k", task);
  await messages.post(task);
  await state.batch([{ key: "k", value: task }, { key: "l", value: 1 }, { key: "m", increment: 2 }]);
  await convene.room("r").join({ id: "ada", meta: task });
  await convene.open("r", { meta: task });
  assert.deepEqual(sent.splice(0), [
    { key: "k", value: as },
    { body: as },
    { writes: [{ key: "k", value: as }, { key: "l", value: 1 }, { key: "m", increment: 2 }] },
    { name: "ada", id: "ada", meta: as },
    { id: "r", meta: as },
  ]);
});

Deno.test("whatever was a value is one still", async () => {
  const json: Json = { a: [1, "b", null, { c: true }] };
  // deno-lint-ignore no-explicit-any -- a caller without types
  const anything: any = 1;
  for (const value of [json, anything]) await state.put("k", value);
  await state.put("k", null);
  await state.put("k", ["a", 1, [task]] as const);
  await state.put("k", { task, at: undefined });
  await messages.post(json);
  await state.batch([]);
  const prepared: Write[] = [{ key: "k", value: json }];
  await state.batch(prepared);
  const tasks: Write<Task>[] = [{ key: "k", value: task }];
  await state.batch([...tasks, { key: "l", value: { any: "thing" } }]);
  await state.batch(["a", "b"].map((key) => ({ key, value: task })));
  assert.equal(sent.splice(0).length, 10);
});

Deno.test("what JSON has no word for does not compile, at any depth", async () => {
  const unknown: unknown = 1;
  const maybe: Task | undefined = [task].at(1);
  const refused = [
    // @ts-expect-error: a method
    () => messages.post({ job }),
    // @ts-expect-error: a method
    () => convene.room("r").join({ meta: job }),
    // @ts-expect-error: a method
    () => convene.open("r", { meta: { job } }),
    // @ts-expect-error: a method
    () => state.batch([{ key: "k", value: 1 }, { key: "l", value: job }]),
    // @ts-expect-error: a method
    () => state.put("k", job),
    // @ts-expect-error: a function
    () => state.put("k", () => 1),
    // @ts-expect-error: a function
    () => state.put("k", { a: [{ b: () => 1 }] }),
    // @ts-expect-error: a class
    () => state.put("k", class {}),
    // @ts-expect-error: a symbol
    () => state.put("k", Symbol("x")),
    // @ts-expect-error: a symbol
    () => state.put("k", [{ a: Symbol("x") }]),
    // @ts-expect-error: a BigInt
    () => state.put("k", 1n),
    // @ts-expect-error: nothing in an array
    () => state.put("k", [undefined]),
  ];
  for (const put of refused) await assert.rejects(put, { name: "TypeError" }, String(put));
  // These compile nowhere either, but nothing is lost that the client could see, or the service refuses them.
  const others = [
    // @ts-expect-error: nothing
    () => state.put("k", undefined),
    // @ts-expect-error: nothing, perhaps
    () => state.put("k", maybe),
    // @ts-expect-error: JSON keeps no entries of a map
    () => state.put("k", new Map()),
    // @ts-expect-error: it may be anything
    () => state.put("k", unknown),
    // @ts-expect-error: a misspelt member
    () => state.batch([{ key: "k", valeu: 1 }]),
    // @ts-expect-error: without a key
    () => state.batch([{ value: 1 }]),
  ];
  assert.equal(others.length, 6);
});
