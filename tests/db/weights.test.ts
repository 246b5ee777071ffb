import assert from "node:assert/strict";
import { withApp } from "../support/app.ts";

const MANY = 12;

/** What may look at thousands of rows, or change them, and how many of them share a batch at most. */
const COSTLY: Array<[name: string, max: number, part: string, write: (id: number) => [string, unknown]]> = [
  ["posts with needs", 2, "INSERT INTO needs", (id) => ["", { kind: "task", body: 1, needs: [id] }]],
  ["failures", 1, "DELETE FROM needs", (id) => [`/${id}/fail`, { agent: "ann" }]],
];

for (const [name, max, part, write] of COSTLY) {
  Deno.test(`few ${name} share a batch, since each may take as long as many plain writes`, () =>
    withApp(async ({ json, batches }) => {
      await json("POST", "/rooms", { id: "r" });
      const ids = Array.from({ length: MANY }, (_, n) => n + 1);
      for (const id of ids) {
        const { body } = await json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
        assert.equal(body.id, id);
      }
      batches.length = 0;
      const replies = await Promise.all(ids.map((id) => {
        const [path, body] = write(id);
        return json("POST", `/rooms/r/messages${path}`, body);
      }));
      for (const { status } of replies) assert.ok(status < 300);
      const counts = batches.map(({ statements }) =>
        statements.filter(({ sql }) => sql.includes(part)).length
      );
      assert.ok(counts.every((count) => count <= max), `${counts}`);
      assert.equal(counts.reduce((sum, count) => sum + count), MANY);
    }));
}
