import assert from "node:assert/strict";
import { type Right, RIGHTS } from "../routes/http/callers/rights.ts";
import { OPERATIONS } from "../routes/openapi/operations.ts";
import { withApp } from "./support/app.ts";
import { bearer } from "./support/tokens.ts";

const ALL = Object.entries(OPERATIONS).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { id }]) => ({ method: method.toUpperCase(), path, id }))
);

Deno.test("each operation has a row in the table of rights, and none else has", () => {
  assert.deepEqual(Object.keys(RIGHTS).sort(), ALL.map(({ id }) => id).sort());
});

type Status = 401 | 403 | undefined;

/** The statuses of who may not: without a token, with a reader's, with a member's. Undefined: the operation answers. */
const REFUSED: Partial<Record<Right, [none: Status, reader: Status, member: Status]>> = {
  write: [undefined, 403, undefined],
  manage: [undefined, 403, undefined],
  own: [401, undefined, undefined],
  admin: [401, 403, 403],
};

/** The least that an operation takes before it looks at anything else. */
const placed = (room: string, path: string) => path.replace("{room}", room).replaceAll(/\{\w+\}/g, "1");

Deno.test("whoever shows too little for an operation is refused before all else, as its right says", () =>
  withApp(async ({ request }) => {
    const made = async (path: string, body: unknown, headers?: Record<string, string>) =>
      (await (await request("POST", path, body, headers)).json()).token as string;
    await request("POST", "/rooms", { id: "r" });
    await request("POST", "/rooms", { id: "other" });
    const member = await made("/rooms/r/agents", { id: "ann", name: "A", secure: true });
    const reader = await made("/rooms/r/tokens", { role: "reader" }, bearer(member));
    const tries = [{}, bearer(reader), bearer(member)];
    const body = { no: "such member" };
    for (const { method, path, id } of ALL.filter(({ path }) => path.includes("{room}"))) {
      for (const [n, status] of REFUSED[RIGHTS[id]!]?.entries() ?? []) {
        const what = `${id}, ${["no token", "a reader", "a member"][n]}`;
        const sent = method === "GET" ? undefined : body;
        const statusIn = async (room: string) =>
          (await request(method, placed(room, path), sent, tries[n])).status;
        if (status === undefined) {
          assert.ok(![401, 403, 500].includes(await statusIn("r")), what);
          continue;
        }
        assert.equal(await statusIn("r"), status, what);
        // What does not count is told from what does not suffice: 401 in another room, 404 in none.
        assert.equal(await statusIn("other"), 401, what);
        assert.equal(await statusIn("none"), 404, what);
      }
    }
  }));
