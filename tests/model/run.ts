import assert from "node:assert/strict";
import type { Subject } from "../support/backends.ts";
import { Client, type Reply } from "../support/client.ts";
import type { Command, Request } from "./commands/command.ts";
import { assertHas } from "./reference/comparison.ts";
import type { Condition } from "./reference/conditions.ts";
import { type Agent, type Expected, type Mark, recordHeartbeat } from "./reference/room.ts";
import { doneUnder, type World } from "./reference/world.ts";

/** One run of commands against one service. */
export interface Run {
  subject: Subject;
  /** Another instance of the same database, where there is one: it looks, too. */
  other: Subject;
  /** What was asked and answered. */
  timeline: string[];
  /** The routes that were asked, by method and path. */
  asked: Set<string>;
  /** Waits in progress. */
  waits: Waiting[];
  /** The timers that end them, where the test holds these. */
  timers?: { fire(): void };
}

export interface Waiting {
  room: string;
  mark: Mark;
  condition: Condition;
  reply: Promise<Reply | undefined>;
  leave(): void;
}

/** Sends what a command asks, and compares the answer with the reference's. */
export async function ask(world: World, run: Run, command: Command): Promise<void> {
  const { once } = command;
  const request = command.request(world);
  const reply = await send(run, once === undefined ? request : keyed(request, once));
  const expected = await expectedOf(world, run, command, request);
  // A refused write that is a sign of life tells of the room as it is once that has ended what a wait had left.
  const ends = world.rooms.get(world.ids[command.room]!)?.marks.some(({ until }) => until === 0);
  compare(run, reply, ends ? { ...expected, revision: undefined } : expected);
  expected.learn?.(reply.body);
  if (request.path === "/rooms" && reply.status === 201) {
    // Where time is not held the reference learns it.
    world.rooms.get(reply.body.id)!.created_at = reply.body.created_at;
  }
  const room = world.ids[command.room]!;
  if (
    once !== undefined && reply.status < 300 && command.keeps(reply.body) && !doneUnder(world, room, once)
  ) {
    const { status, text, revision } = reply;
    world.done.set(`${room} ${once}`, { command, request, at: world.clock.now, status, text, revision });
  }
}

function keyed(request: Request, once: string): Request {
  return { ...request, headers: { ...request.headers, "Idempotency-Key": once } };
}

export async function send(
  run: Run,
  { method, path, body, headers }: Request,
  to = run.subject,
): Promise<Reply> {
  const reply = await to.request(method, path, { body, headers });
  run.asked.add(`${method} ${path.split("?")[0]}`);
  const sent = [method, path, body && JSON.stringify(body), headers && JSON.stringify(headers)];
  tell(run, `${sent.filter((part) => part && part !== "{}").join(" ")}\n    ${told(reply)}`);
  return reply;
}

export function tell(run: Run, line: string): void {
  run.timeline.push(line);
}

const told = ({ status, revision, text }: Reply) => `${status} at ${revision}: ${text}`;

/** What was done under its key is answered again; another request under the key is refused. */
async function expectedOf(
  world: World,
  run: Run,
  command: Command,
  request: Request,
): Promise<Expected & { text?: string }> {
  const id = world.ids[command.room]!;
  const done = command.once === undefined ? undefined : doneUnder(world, id, command.once);
  if (done === undefined) return command.expect(world);
  const [room, agent] = [world.rooms.get(id)!, command.again(request)];
  const registered = agent === undefined ? undefined : room.agents.get(agent);
  const before = registered?.last_heartbeat;
  recordHeartbeat(room, agent);
  if (registered && command.beats === "maybe" && world.clock.held) {
    await learnHeartbeat(run, room.id, registered, [before!, world.clock.now]);
  }
  if (JSON.stringify(done.request) !== JSON.stringify(request)) {
    return { status: 422, body: { error: "idempotency_mismatch" } };
  }
  const { status, text, revision } = done;
  return { status, text, revision };
}

/** Learns which of these times the last heartbeat of an agent was, where that is not determined. */
async function learnHeartbeat(run: Run, room: string, agent: Agent, times: number[]): Promise<void> {
  const path = `/rooms/${room}/agents/${agent.id}`;
  const { body } = await send(run, { method: "GET", path }, run.other);
  agent.last_heartbeat = Date.parse(body.last_heartbeat);
  explained(run, times, () => assert.ok(times.includes(agent.last_heartbeat)));
}

/** Fails, with all that was asked, where an answer is not as expected. */
export function compare(run: Run, reply: Reply, expected: Expected & { text?: string }): void {
  explained(run, expected, () => {
    const { status, body, text, revision, link, etag, pieces, older } = expected;
    assert.equal(reply.status, status);
    if (body !== undefined) assertHas(reply.body, body);
    if (text !== undefined) assert.equal(reply.text, text);
    assert.equal(reply.headers.get("idempotency-replayed"), text === undefined ? null : "true");
    if (revision !== undefined) assert.equal(reply.revision, revision);
    if (etag !== undefined) assert.equal(reply.headers.get("etag"), `"${etag}"`);
    if (link !== undefined) assert.equal(Client.next(reply) ?? null, link && nextOf(reply, link));
    if (older !== undefined) assert.equal(reply.headers.get("convene-older"), String(older));
    if (pieces === undefined) return;
    const found = [...reply.text.matchAll(pieces.pattern)].map(([, ...names]) => names.join(""));
    assert.deepEqual(found, pieces.found);
  });
}

/** Where the assertions fail, all that was asked before is told. */
export function explained(run: Run, expected: unknown, assertions: () => void): void {
  try {
    assertions();
  } catch (error) {
    const told = `${run.timeline.join("\n")}\n    expected ${JSON.stringify(expected)}`;
    throw new Error(`${told}\n${(error as Error).message}`);
  }
}

/** The same request with these parameters. */
function nextOf(reply: Reply, link: Record<string, string>): string {
  const url = new URL(reply.url);
  for (const [name, value] of Object.entries(link)) url.searchParams.set(name, value);
  return url.href;
}
