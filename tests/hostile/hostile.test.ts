import assert from "node:assert/strict";
import fc from "fast-check";
import type { z } from "zod";
import * as parts from "../../routes/http/input/schema_parts.ts";
import { bodiesOf as documentedBodies } from "../../routes/openapi/operations.ts";
import { WRITES } from "../../routes/state/schemas.ts";
import { backends, type Running, Subject } from "../support/backends.ts";
import { OTHERS_MS } from "../support/bounds.ts";
import type { RequestOptions } from "../support/client.ts";
import { mostOf, startProbe } from "../support/probe.ts";
import { bearer } from "../support/tokens.ts";
import { bodiesOf, expressions } from "./arbitraries.ts";
import { type Holder, INPUTS, WRONG_CODES } from "./inputs.ts";

/** Cases of each property; a failure prints its seed, which SEED takes up again. */
const RUNS = Number(Deno.env.get("HOSTILE_RUNS") ?? 60);
const SEED = Number(Deno.env.get("SEED") ?? Date.now() % 2 ** 31);
const PROPERTY = { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: 600_000 };

/**
 * No answer may take longer. An instance works in one thread: what holds others up for so long, which a promise
 * forbids, takes at least as long itself.
 */
const MAX_MS = OTHERS_MS;
/** A slow answer is asked for again: what the input costs it costs every time, what the machine adds it does not. */
const MAX_TIMES = 5;
const INSIDE =
  /\bat \S+ \(|\.ts:\d|file:\/\/|\bSELECT \S+ FROM\b|\bINSERT INTO\b|SQLITE_|node_modules|\/work\//;

/** A service that all are sent to, and what a look at a room takes there in peace: looks of a second. */
let running: Promise<{ service: Running; usual: number }> | undefined;

async function open() {
  const service = await backends[0]!.open({ RATE_LIMIT: "0" });
  const peace = await startProbe(new Subject(service.url));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { service, usual: mostOf(await peace.stop()) };
}

Deno.test.afterAll(async () => await (await running)?.service.stop());

/** What the words of a path stand for, and the tokens of those who send. */
interface Place {
  room: string;
  words: Record<string, string>;
  tokens: Record<Holder, string>;
}

async function newPlace(t: Subject): Promise<Place> {
  const room = await t.room();
  await t.agent(room, "ann");
  const { token: member } = await t.agent(room, "bob", { secure: true });
  const { id: LOCKED, token: admin } = (await t.post("/rooms", { locked: true })).body;
  const codeTo = async (at: string, headers: Record<string, string>) => {
    const asked = { body: { role: "member", uses: 100 }, headers };
    return (await t.request("POST", `/rooms/${at}/invites`, asked)).body.code;
  };
  const [OPEN_CODE, LOCKED_CODE] = [await codeTo(room, {}), await codeTo(LOCKED, bearer(admin))];
  return { room, words: { ROOM: room, LOCKED, OPEN_CODE, LOCKED_CODE }, tokens: { member, admin } };
}

/** A test in rooms of its own. */
function hostile(name: string, test: (t: Subject, place: Place) => Promise<void>): void {
  Deno.test({
    name,
    // The service is started by the first test and outlives it.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const { service } = await (running ??= open());
      const t = new Subject(service.url);
      await test(t, await newPlace(t));
    },
  });
}

/** Sends one input and asserts that it was answered well, and so is the next ordinary request. */
async function send(
  t: Subject,
  { room, words, tokens }: Place,
  method: string,
  path: string,
  { as, ...options }: RequestOptions & { as?: Holder } = {},
) {
  const name = `${as ?? "nobody"}: ${method} ${path} ${options.raw ?? ""}`.slice(0, 300);
  const at = path.replaceAll(/[A-Z_]+/g, (word) => words[word] ?? word);
  let took = Infinity;
  for (let times = 0; took >= MAX_MS && times < MAX_TIMES; times++) {
    const headers = { ...options.headers, ...as && bearer(tokens[as]) };
    const from = performance.now();
    const reply = await t.request(method, at, { ...options, headers });
    took = Math.min(took, performance.now() - from);
    assert.ok(reply.status < 500, `${name}: ${reply.status} ${reply.text}`);
    assert.doesNotMatch(reply.text.slice(0, 2_000), INSIDE, name);
    if (reply.status >= 400 && reply.body) assert.ok(reply.body.error && reply.body.message, reply.text);
    if (reply.status === 200 && path.endsWith("/rotate")) tokens[as!] = reply.body.token;
    if (options.raw instanceof ReadableStream) break; // it can be sent once
  }
  assert.ok(took < MAX_MS, `${name}: ${Math.round(took)} ms`);
  const next = await t.get(`/rooms/${room}`);
  assert.equal(next.status, 200, `after ${name}: ${next.text}`);
}

/** Runs what is hostile while somebody looks at another room, and compares with looks in peace before. */
async function besideOthers(t: Subject, attack: () => Promise<void>, most = MAX_MS): Promise<void> {
  const { usual } = await running!;
  const probe = await startProbe(t);
  await attack();
  const slowest = mostOf(await probe.stop());
  assert.ok(
    slowest - usual < most,
    `another room waited ${Math.round(slowest)} ms of ${most}, usually ${usual}`,
  );
}

hostile(
  `${INPUTS.length} hostile inputs are answered, soon, and harm nobody`,
  (t, place) =>
    besideOthers(t, async () => {
      assert.ok(INPUTS.length >= 300);
      for (const { method, path, ...options } of INPUTS) await send(t, place, method, path, options);
    }),
);

hostile("bodies that are no text, and odd ways to send one", async (t, place) => {
  const bytes = (...list: number[]) => new Uint8Array(list);
  const gzipped = await new Response(
    new Blob(['{"key":"k","value":1}']).stream().pipeThrough(new CompressionStream("gzip")),
  ).bytes();
  const raws = [
    bytes(),
    bytes(0xff, 0xfe),
    bytes(0x22, 0xc3, 0x28, 0x22),
    bytes(0xed, 0xa0, 0x80),
    gzipped,
  ];
  const types = [
    "",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "\u00e9/x",
  ];
  for (const raw of raws) {
    for (const type of types) {
      for (const encoding of [undefined, "gzip", "br", "x"]) {
        const headers = {
          ...type && { "content-type": type },
          ...encoding && { "content-encoding": encoding },
        };
        await send(t, place, "PUT", "/rooms/ROOM/state", { raw, headers });
      }
    }
  }
  const chunks = () =>
    ReadableStream.from(['{"key":', '"k",', '"value":1}']).pipeThrough(new TextEncoderStream());
  await send(t, place, "PUT", "/rooms/ROOM/state", { raw: chunks() });
  assert.equal((await t.entry(place.room, "k")).value, 1);
});

const COSTLY = "lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))";

/** Others wait for so many pieces of costly work, which are no longer divided, however many are asked for. */
const MAX_PIECES = 5;

/** How long the machine takes for a costly request that is alone. */
async function pieceOf(t: Subject, room: string): Promise<number> {
  let longest = 0;
  for (let n = 0; n < 5; n++) {
    const from = performance.now();
    await t.post(`/rooms/${room}/eval`, { expr: COSTLY });
    longest = Math.max(longest, performance.now() - from);
  }
  return longest;
}

hostile("many requests at once that cost all that they may hold up no others", async (t, { room }) => {
  const most = Math.max(MAX_MS, MAX_PIECES * await pieceOf(t, room));
  await besideOthers(t, async () => {
    const asked = [
      ...Array.from({ length: 100 }, () => t.post(`/rooms/${room}/eval`, { expr: COSTLY })),
      ...Array.from(
        { length: 50 },
        (_, n) => t.post(`/rooms/${room}/wait`, { condition: `${COSTLY} && ${n} < 0`, timeout: 0 }),
      ),
      ...Array.from(
        { length: 20 },
        (_, n) => t.put(`/rooms/${room}/state`, { key: "k", value: n, if: COSTLY }),
      ),
    ];
    const answers = await Promise.all(asked);
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    assert.deepEqual([count(400), count(200), count(409)], [100, 50, 20]);
  }, most);
});

hostile(
  "a room whose views cost all that they may is shown without holding up others",
  (t, { room }) =>
    besideOthers(t, async () => {
      const writes = Array.from({ length: 64 }, (_, n) => ({
        scope: "_view",
        key: `v${n}`,
        expr: COSTLY,
      }));
      for (let n = 0; n < 64; n += 16) {
        assert.equal(
          (await t.put(`/rooms/${room}/state/batch`, { writes: writes.slice(n, n + 16) })).status,
          200,
        );
      }
      for (const path of [`/?room=${room}`, `/rooms/${room}/state?resolve=true`]) {
        for (let times = 0; times < 3; times++) assert.equal((await t.get(path)).status, 200);
      }
    }),
);

const bodies = { ...documentedBodies(parts), ...WRITES.bodies(parts) } as Record<string, z.ZodObject>;

const FUZZED: [method: string, path: string, schema: Parameters<typeof bodiesOf>[0], as?: Holder][] = [
  ["POST", "/rooms", bodies.RoomRequest!],
  ["POST", "/rooms/ROOM/agents", bodies.AgentRequest!],
  ["POST", "/rooms/ROOM/agents/ann/heartbeat", bodies.HeartbeatRequest!],
  ["POST", "/rooms/ROOM/messages", bodies.MessageRequest!],
  ["POST", "/rooms/ROOM/messages/3/claim", bodies.ClaimRequest!],
  ["PUT", "/rooms/ROOM/state", bodies.put!],
  ["PUT", "/rooms/ROOM/state/batch", bodies.batch!],
  ["DELETE", "/rooms/ROOM/state", bodies.delete!],
  ["POST", "/rooms/ROOM/eval", bodies.EvalRequest!],
  ["POST", "/rooms/ROOM/wait", bodies.WaitRequest!],
  ["POST", "/rooms/ROOM/tokens", bodies.TokenRequest!, "member"],
  ["POST", "/rooms/LOCKED/tokens", bodies.TokenRequest!, "admin"],
  ["POST", "/rooms/ROOM/invites", bodies.InviteRequest!],
  ["POST", "/rooms/LOCKED/invites", bodies.InviteRequest!, "admin"],
  ["POST", "/join/OPEN_CODE", bodies.JoinRequest!],
  ["POST", "/rooms/LOCKED/tokens/rotate", bodies.TokenRotation!, "admin"],
];

hostile(
  `bodies made from the schemas, valid and mutated, seed ${SEED}`,
  (t, place) =>
    besideOthers(t, async () => {
      for (const [method, path, schema, as] of FUZZED) {
        const property = fc.asyncProperty(bodiesOf(schema), async (body) => {
          // A wait that is not true ends at once all the same.
          const brief = path.endsWith("/wait") && body !== null && typeof body === "object";
          const raw = JSON.stringify(brief ? { ...body, timeout: 0 } : body);
          await send(t, place, method, path, { raw, as });
        });
        await fc.assert(property, PROPERTY);
      }
    }),
);

hostile(`expressions made from the grammar of CEL, seed ${SEED}`, (t, place) =>
  besideOthers(t, async () => {
    await t.write(place.room, "k", [1, "a", null, { k: true }]);
    const property = fc.asyncProperty(expressions, async (expr) => {
      for (
        const [method, path, body] of [
          ["POST", "/rooms/ROOM/eval", { expr, agent: "ann" }],
          ["POST", "/rooms/ROOM/wait", { condition: expr, timeout: 0, include: "state" }],
          ["PUT", "/rooms/ROOM/state", { key: "gated", value: 1, if: expr }],
          ["PUT", "/rooms/ROOM/state", { scope: "_view", key: "v", expr }],
        ] as const
      ) await send(t, place, method, path, { raw: JSON.stringify(body) });
    });
    await fc.assert(property, { ...PROPERTY, numRuns: 4 * RUNS });
  }));

// The last: after ten of them no code is answered.
hostile(`${WRONG_CODES.length} codes that are none`, (t, place) =>
  besideOthers(t, async () => {
    for (const { method, path } of WRONG_CODES) await send(t, place, method, path);
  }));
