/**
 * Reads that ask only for the generation of tokens: whatever another instance has changed of them, none counts that
 * counts no longer, and none is refused that counts.
 */
import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import type { Connection } from "../../db/driver/connection.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import { DATABASES } from "../support/databases.ts";
import { bearer } from "../support/tokens.ts";

type Ask = (method: string, path: string, headers?: HeadersInit, body?: unknown) => Promise<Response>;

/** An instance whose reads are counted, and may be held back. */
interface Counted {
  ask: Ask;
  /** Runs SQL as another instance does, of which this one hears nothing. */
  elsewhere(sql: string): Promise<void>;
  /** Returns how many batches of reads have looked for each token since the last time. */
  looks(): number;
  /** Holds back the answers of batches that look for each token until so many have come; then holds none. */
  hold(batches: number): { held(count: number): Promise<void> };
  /** Reads with a token, in one form of its header and then in another, and returns the statuses. */
  read(token: string): Promise<number[]>;
  agent(id: string): Promise<string>;
}

async function withCounted(kind: string, test: (counted: Counted) => Promise<void>): Promise<void> {
  const place = await DATABASES[kind]!();
  const other = await connect(place.url);
  let looked = 0;
  const held: Array<() => void> = [];
  let holding = 0;
  let arrived = () => {};
  const counting = (connection: Connection): Connection => ({
    async send(statements, mode) {
      const isChecking = statements.some(({ args }) => "hashes" in args);
      if (isChecking && mode === "read") looked++;
      const rows = await connection.send(statements, mode);
      if (isChecking && holding > held.length) {
        const released = new Promise<void>((resolve) => held.push(resolve));
        arrived();
        if (held.length === holding) {
          holding = 0;
          for (const release of held.splice(0)) release();
        }
        await released;
      }
      return rows;
    },
    close: () => connection.close(),
  });
  const database = createDatabase({ connect: async () => counting(await connect(place.url)) });
  const services = createServices(database);
  const app = createApp(services);
  const ask: Ask = async (method, path, headers, body) =>
    await app.request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  try {
    await ask("POST", "/rooms", {}, { id: "r" });
    await test({
      ask,
      elsewhere: async (sql) => void await other.send([{ sql, args: {} }], "write"),
      looks() {
        const looks = looked;
        looked = 0;
        return looks;
      },
      hold(batches) {
        holding = batches;
        return {
          held: (count) =>
            new Promise((resolve) => {
              arrived = () => held.length >= count && resolve();
              arrived();
            }),
        };
      },
      async read(token) {
        const statuses = [];
        for (const Authorization of [`Bearer ${token}`, `bearer ${token}`]) {
          const answer = await ask("GET", "/rooms/r/agents", { Authorization });
          await answer.body?.cancel();
          statuses.push(answer.status);
        }
        return statuses;
      },
      async agent(id) {
        const made = await ask("POST", "/rooms/r/agents", {}, { id, name: id, secure: true });
        assert.equal(made.status, 201);
        return (await made.json()).token;
      },
    });
  } finally {
    await services.watch.drain();
    await database.close();
    other.close();
    await place.stop();
  }
}

const idOf = (agent: string) => `(SELECT id FROM tokens WHERE agent_id = '${agent}')`;

/** What may happen to bob's token elsewhere, and how it is answered then. */
const CHANGES: Record<string, { sql: string; status: number }> = {
  "it is revoked": { sql: `DELETE FROM tokens WHERE id = ${idOf("bob")}`, status: 401 },
  "it is rotated": {
    sql: `UPDATE tokens SET previous_hash = hash, hash = 'another' WHERE id = ${idOf("bob")}`,
    status: 401,
  },
  "another is made": {
    sql: `INSERT INTO tokens (room_id, id, hash, role, created_at) VALUES ('r', 'x', 'x', 'reader', '')`,
    status: 200,
  },
};

for (const kind of Object.keys(DATABASES)) {
  for (const [what, { sql, status }] of Object.entries(CHANGES)) {
    Deno.test(`${kind}: known tokens are looked for again once ${what}, and only then`, async () => {
      await withCounted(kind, async ({ agent, read, looks, elsewhere }) => {
        const [ann, bob] = [await agent("ann"), await agent("bob")];
        for (const token of [ann, bob]) await read(token);
        for (const token of [ann, bob]) assert.deepEqual(await read(token), [200, 200]);
        looks();
        assert.deepEqual(await Promise.all([read(ann), read(bob)]), [[200, 200], [200, 200]]);
        assert.equal(looks(), 0);

        await elsewhere(sql);
        assert.deepEqual(await read(bob), [status, status]);
        assert.ok(looks() > 0);
        assert.deepEqual(await read(bob), [status, status], "again");
        assert.deepEqual(await read(ann), [200, 200]);
        assert.deepEqual(await Promise.all([read(ann), read(bob)]), [[200, 200], [status, status]]);
        looks();
        assert.deepEqual(await read(ann), [200, 200]);
        assert.equal(looks(), 0, "not once more");
      });
    });
  }

  Deno.test(`${kind}: the use of a token makes nobody look again`, async () => {
    await withCounted(kind, async ({ agent, read, looks, elsewhere }) => {
      const ann = await agent("ann");
      await read(ann);
      await read(ann);
      await elsewhere(`UPDATE tokens SET last_used_at = 1, unused = 0`);
      looks();
      assert.deepEqual(await read(ann), [200, 200]);
      assert.equal(looks(), 0);
    });
  });

  Deno.test(`${kind}: a revoked token that two batches look for at once stays refused`, async () => {
    await withCounted(kind, async ({ ask, agent, read, elsewhere, hold }) => {
      const bob = await agent("bob");
      await read(bob);
      assert.deepEqual(await read(bob), [200, 200]);
      await elsewhere(`DELETE FROM tokens WHERE id = ${idOf("bob")}`);
      const { held } = hold(2);
      const one = ask("GET", "/rooms/r/agents", bearer(bob));
      await held(1);
      const other = ask("GET", "/rooms/r/messages", bearer(bob));
      assert.deepEqual([(await one).status, (await other).status], [401, 401]);
      const again = await ask("GET", "/rooms/r/agents", { Authorization: `bearer ${bob}` });
      assert.equal(again.status, 401, "in another form of its header");
    });
  });

  Deno.test(`${kind}: a token that expires is looked for each time`, async () => {
    await withCounted(kind, async ({ ask, agent, looks, elsewhere }) => {
      const ann = await agent("ann");
      const made = await ask("POST", "/rooms/r/tokens", bearer(ann), { role: "reader", ttl: 3_600 });
      const { token, id } = await made.json();
      const status = async () => (await ask("GET", "/rooms/r/agents", bearer(token))).status;
      await status();
      looks();
      assert.equal(await status(), 200);
      assert.equal(looks(), 1);
      await elsewhere(`UPDATE tokens SET expires_at = 1 WHERE id = '${id}'`);
      assert.equal(await status(), 401);
    });
  });
}
