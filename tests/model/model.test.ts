import assert from "node:assert/strict";
import fc from "fast-check";
import { contract, type Subject } from "../support/backends.ts";
import { action, requestOf } from "./commands.ts";
import { type Action, Model } from "./model.ts";

const runs = Number(Deno.env.get("MODEL_RUNS") ?? 40);
const seed = Number(Deno.env.get("MODEL_SEED") ?? Date.now() % 2 ** 31);

/** Fails unless `actual` has all that is expected of it; lists must be of one length. */
function assertHas(actual: unknown, expected: unknown, told: string): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) && actual.length === expected.length, told);
    expected.forEach((item, index) => assertHas(actual[index], item, told));
  } else if (expected !== null && typeof expected === "object") {
    assert.ok(actual !== null && typeof actual === "object", told);
    for (const [name, value] of Object.entries(expected)) {
      assertHas((actual as Record<string, unknown>)[name], value, told);
    }
  } else assert.deepEqual(actual, expected, told);
}

class Step implements fc.AsyncCommand<Model, Run> {
  constructor(readonly action: Action) {}
  check = () => true;

  async run(model: Model, run: Run): Promise<void> {
    const { method, path, body } = requestOf(this.action, run.room, model);
    const reply = await run.subject.request(method, path, { body });
    const expected = model.apply(this.action);
    run.timeline.push(
      `${method} ${path} ${
        JSON.stringify(body) ?? ""
      }\n    ${reply.status} at ${reply.revision}: ${reply.text}`,
    );
    const told = `${run.timeline.join("\n")}\n    expected ${expected.status} at ${model.revision}: ${
      JSON.stringify(expected.body)
    }`;
    assert.equal(reply.status, expected.status, told);
    assertHas(reply.body, expected.body, told);
    assert.equal(reply.revision, model.revision, told);
  }

  toString = () => JSON.stringify(this.action);
}

/** The last one kept is the shortest that fast-check found. */
async function keep(seed: number, timeline: string): Promise<void> {
  const folder = new URL("histories/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL(`model-${seed}.txt`, folder), timeline);
}

interface Run {
  subject: Subject;
  room: string;
  timeline: string[];
}

contract("whatever a room is asked, it answers as the model does", async (subject) => {
  console.log(`model: ${runs} runs, seed ${seed}`);
  let sent = 0;
  const commands = fc.commands([action.map((it) => new Step(it))], { maxCommands: 60, size: "max" });
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const run: Run = { subject, room: await subject.room(), timeline: [] };
      const model = new Model();
      model.revision = await subject.revision(run.room);
      try {
        await fc.asyncModelRun(() => ({ model, real: run }), steps);
      } catch (error) {
        await keep(seed, (error as Error).message);
        throw error;
      } finally {
        sent += run.timeline.length;
      }
    }),
    { seed, numRuns: runs },
  );
  console.log(`model: ${sent} requests answered as expected`);
});
