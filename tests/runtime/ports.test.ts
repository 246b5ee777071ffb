import assert from "node:assert/strict";
import { drawPort, takePort } from "../support/libsql_server.ts";

const module = new URL("../support/libsql_server.ts", import.meta.url).href;

/** Takes a port in a process of its own; returns what it got. */
async function elsewhere(port: number): Promise<string> {
  const source = `import { takePort } from ${JSON.stringify(module)}; console.log(takePort(${port})?.port)`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", source] }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("a port that is drawn twice is taken once, also by tests of other processes", async () => {
  const first = drawPort();
  const next = drawPort();
  const draws = [first.port, first.port, next.port];
  next.release();
  const second = drawPort(() => draws.shift()!);
  assert.deepEqual([second.port, draws], [next.port, []]);
  assert.equal(takePort(first.port), undefined);
  assert.equal(await elsewhere(first.port), "undefined");
  first.release();
  first.release();
  assert.equal(await elsewhere(first.port), String(first.port));
  second.release();
});

Deno.test("a port at which somebody listens is not taken", () => {
  const { port, release } = drawPort();
  release();
  {
    using _other = Deno.listen({ hostname: "127.0.0.1", port });
    assert.equal(takePort(port), undefined);
  }
  takePort(port)!.release();
});
