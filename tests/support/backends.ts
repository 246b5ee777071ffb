import { atOnce } from "./at_once.ts";
import { Client, type Json } from "./client.ts";
import { DATABASES } from "./databases.ts";
import { startService, untilReady } from "./service.ts";
import { until } from "./until.ts";

export interface Running {
  url: string;
  stop(): Promise<void>;
}

export interface Backend {
  name: string;
  open(env?: Record<string, string>): Promise<Running>;
}

/** A service that runs already, which is then the only one that is tested: `CONTRACT_URL`. */
const given = Deno.env.get("CONTRACT_URL");

export const backends: Backend[] = given ? [{ name: "given", open: () => alreadyAt(given) }] : [
  { name: "file", open: (env) => startService({ env }) },
  { name: "libsql", open: openOnLibsql },
  { name: "memory", open: (env) => startService({ database: ":memory:", env }) },
];

function alreadyAt(url: string): Promise<Running> {
  return Promise.resolve({ url, stop: () => Promise.resolve() });
}

async function openOnLibsql(env?: Record<string, string>): Promise<Running> {
  await using opened = new AsyncDisposableStack();
  const database = await DATABASES.libsql!();
  opened.defer(database.stop);
  const service = await startService({ database: database.url, env });
  opened.defer(service.stop);
  await untilReady(service);
  const all = opened.move();
  return { url: service.url, stop: () => all.disposeAsync() };
}

/** What a test of the contract gets: a running service, and rooms that nobody else uses. */
export class Subject extends Client {
  /** A fresh room's id. */
  async room(): Promise<string> {
    const reply = await this.post("/rooms", {});
    if (reply.status !== 201) throw new Error(`POST /rooms: ${reply.status} ${reply.text}`);
    return reply.body.id;
  }

  /** Registers an agent; the answer as it reads later. */
  async agent(room: string, id: string, members: Json = {}): Promise<Json> {
    const reply = await this.post(`/rooms/${room}/agents`, { id, name: id, ...members });
    if (reply.status !== 201) throw new Error(`register ${id}: ${reply.status} ${reply.text}`);
    const { created: _, ...agent } = reply.body;
    return agent;
  }

  /** Posts a message. */
  async message(room: string, members: Json = {}): Promise<Json> {
    const reply = await this.post(`/rooms/${room}/messages`, { body: "text", ...members });
    if (reply.status !== 201) throw new Error(`post: ${reply.status} ${reply.text}`);
    return reply.body;
  }

  /** Writes an entry of `_shared`, or the one that `members` describe. */
  async write(room: string, key: string, value: unknown, members: Json = {}): Promise<Json> {
    const reply = await this.put(`/rooms/${room}/state`, { key, value, ...members });
    if (reply.status !== 200) throw new Error(`write ${key}: ${reply.status} ${reply.text}`);
    return reply.body;
  }

  /** Writes a computed view. */
  async view(room: string, key: string, expr: string): Promise<Json> {
    const reply = await this.put(`/rooms/${room}/state`, { scope: "_view", key, expr });
    if (reply.status !== 200) throw new Error(`view ${key}: ${reply.status} ${reply.text}`);
    return reply.body;
  }

  /** The value of an expression. */
  async value(room: string, expr: string, agent?: string): Promise<Json> {
    const reply = await this.post(`/rooms/${room}/eval`, { expr, agent });
    if (reply.status !== 200) throw new Error(`eval ${expr}: ${reply.status} ${reply.text}`);
    return reply.body.value;
  }

  /** An entry of the room's state, or undefined. */
  async entry(room: string, key: string, scope = "_shared"): Promise<Json> {
    const reply = await this.get(`/rooms/${room}/state`, { scope, key });
    if (reply.status !== 200 && reply.status !== 404) {
      throw new Error(`read ${key}: ${reply.status} ${reply.text}`);
    }
    return reply.status === 200 ? reply.body : undefined;
  }

  /** The room's revision now. */
  async revision(room: string): Promise<number> {
    const { revision } = await this.get(`/rooms/${room}`);
    if (revision === undefined) throw new Error("GET /rooms/:id carries no Convene-Revision");
    return revision;
  }

  /** Asks for a room's agent until it is as wanted. */
  async agentUntil(
    room: string,
    id: string,
    wanted: (agent: Json) => boolean,
    within = 5_000,
  ): Promise<Json> {
    return await until(async () => (await this.get(`/rooms/${room}/agents/${id}`)).body, wanted, within);
  }

  /** Comes back when the clock has passed a time, so that what happens now is later than it. */
  async after(time: string): Promise<void> {
    while (Date.now() <= Date.parse(time)) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const running = new Map<Backend, Promise<Running>>();

/** Registers a test of the contract for each backend; a file's tests share one service a backend. */
export function contract(name: string, test: (t: Subject) => Promise<void>, on: Backend[] = backends): void {
  for (const backend of on) {
    Deno.test({
      name: `${backend.name}: ${name}`,
      // The service is started by the first test that needs it and outlives it.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => testOn(backend, test),
    });
  }
}

async function testOn(backend: Backend, test: (t: Subject) => Promise<void>): Promise<void> {
  if (!running.has(backend)) running.set(backend, backend.open());
  const { url } = await running.get(backend)!;
  await test(new Subject(url));
}

/** The same for a test that waits most of the time: it begins on all backends at once. */
export function waitingContract(name: string, test: (t: Subject) => Promise<void>, on = backends): void {
  atOnce(
    Object.fromEntries(on.map((backend) => [`${backend.name}: ${name}`, () => testOn(backend, test)])),
  );
}

/** For what costs much and does not depend on the database. */
export const oneBackend: Backend[] = backends.slice(0, 1);

Deno.test.afterAll(async () => {
  for (const opening of running.values()) {
    const service = await opening.catch(() => undefined);
    await service?.stop();
  }
});
