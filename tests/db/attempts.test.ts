import assert from "node:assert/strict";
import { connect } from "../../db/driver/open.ts";
import type { Json } from "../../db/json.ts";
import { withApp } from "../support/app.ts";

/** Claims of message 1 with fences of 1, 2, ..., each with an error of 4 KB. */
const claimedOften = (count: number) => `
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
  INSERT INTO attempts (room_id, message_id, fence, agent_id, claimed_at, ended_at, ended, error)
  SELECT 'r', 1, i, 'ann', '', '', 'released', '"' || hex(zeroblob(2000)) || '"' FROM n`;

Deno.test("of the claims of a message the latest 1,000 are listed", () =>
  withApp(async ({ json, file }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/messages", { kind: "task", body: 1 });
    const direct = await connect(file);
    await direct.send([{ sql: claimedOften(1_500), args: {} }], "write");
    direct.close();

    const { status, body } = await json("GET", "/rooms/r/messages/1/attempts");
    assert.equal(status, 200);
    const fences = body.map(({ fence }: { fence: Json }) => fence);
    assert.deepEqual(fences, Array.from({ length: 1_000 }, (_, n) => n + 501));
  }));
