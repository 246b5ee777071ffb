import assert from "node:assert/strict";
import { LIMITS } from "../../routes/http/limits.ts";
import { type Batch, withApp } from "../support/app.ts";

const markOf = ({ statements }: Batch) => statements.find(({ sql }) => sql.includes("INSERT INTO waits"));

Deno.test("a wait takes 25 s where nothing is said or more is asked for, and less where less is", () =>
  withApp(async (app) => {
    await app.json("POST", "/rooms", { id: "r" });
    await app.json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });

    /** How long the presence of a wait lasts, which ends by itself some seconds after the wait; in milliseconds. */
    async function leaseOf(timeout?: number): Promise<number> {
      const marked = app.nextBatch((batch) => markOf(batch) !== undefined);
      const leaving = new AbortController();
      const body = JSON.stringify({ condition: "has(state._shared.never)", agent: "ann", timeout });
      const wait = app.app.request("/rooms/r/wait", { method: "POST", body, signal: leaving.signal });
      const { lasts } = markOf(await marked)!.args as { lasts: number };
      leaving.abort();
      assert.equal((await wait).status, 204);
      return lasts;
    }

    const most = await leaseOf(LIMITS.waitMs);
    const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1_000, `${a} ms, ${b} ms`);
    near(await leaseOf(), most);
    near(await leaseOf(LIMITS.waitMs + 1), most);
    near(await leaseOf(3_600_000), most);
    near(await leaseOf(LIMITS.waitMs - 5_000), most - 5_000);
    assert.ok(most <= 30_000, "no agent shows waiting 30 s after its instance died");
  }));
