import assert from "node:assert/strict";
import fc from "fast-check";
import { openEvents } from "../support/events.ts";
import { agentCommands } from "./commands/agents.ts";
import { agent, type Command, place, plainCondition, revision } from "./commands/command.ts";
import { liveCommands } from "./commands/live.ts";
import { lookCommands } from "./commands/looks.ts";
import { messageCommands } from "./commands/messages.ts";
import { opening, roomCommands } from "./commands/rooms.ts";
import { reservationCommands } from "./commands/reservations.ts";
import { stateCommands } from "./commands/state.ts";
import { taskCommands } from "./commands/tasks.ts";
import { listAgents, mark, unmark, WAIT_MS } from "./reference/agents.ts";
import { endAll } from "./reference/endings.ts";
import { assertHas } from "./reference/comparison.ts";
import { type Condition, holds, source } from "./reference/conditions.ts";
import { changes, listChanges, wait } from "./reference/looks.ts";
import { type Agent, type Expected, isLeft, type Room, STAYS_MS } from "./reference/room.ts";
import { listMessages } from "./reference/messages.ts";
import { listReservations } from "./reference/reservations.ts";
import { list } from "./reference/state.ts";
import { listAttempts } from "./reference/tasks.ts";
import { doneUnder, type World } from "./reference/world.ts";
import { ask, compare, explained, type Run, send, tell, type Waiting } from "./run.ts";

/** A step of a run. `check`: whether there is something for it to do. */
type Step = fc.AsyncCommand<World, Run>;

/** What every request but those that stay open is. */
class Asking implements Step {
  constructor(readonly command: Command) {}
  toString = () => this.command.told;
  check = (world: World) => isDetermined(world, this.command);

  async run(world: World, run: Run): Promise<void> {
    await ask(world, run, this.command);
    await endLeft(world, run);
    await settle(world, run);
  }
}

/** False of a request that may be a sign of life or none, where one would end what a wait has left. */
function isDetermined({ rooms, ids }: World, { beats, room: place }: Command): boolean {
  const room = rooms.get(ids[place]!);
  return beats !== "maybe" || room === undefined || !room.marks.some((mark) => isLeft(room, mark));
}

/** What an agent does ends what its waits have left; it does so when somebody looks. */
async function endLeft(world: World, run: Run): Promise<void> {
  for (const room of world.rooms.values()) {
    if (room.marks.every(({ until }) => until > 0)) continue;
    endAll(room);
    compare(
      run,
      await send(run, { method: "GET", path: `/rooms/${room.id}/agents` }, run.other),
      listAgents(room),
    );
  }
}

/** A wait begins and stays, seen by all, until a later step makes its condition true or it is left. */
class Beginning implements Step {
  constructor(readonly drawn: { place: number; agent: string; condition: Condition }) {}
  toString = () => `begin ${JSON.stringify(this.drawn)}`;

  check({ rooms, ids }: World): boolean {
    const room = rooms.get(ids[this.drawn.place]!);
    return room?.agents.has(this.drawn.agent) === true &&
      !holds(room, this.drawn.condition, this.drawn.agent);
  }

  async run(world: World, run: Run): Promise<void> {
    const { place, agent, condition } = this.drawn;
    const room = world.rooms.get(world.ids[place]!)!;
    const controller = new AbortController();
    const body = { condition: source(condition), agent, timeout: WAIT_MS };
    const path = `/rooms/${room.id}/wait`;
    const reply = run.subject.request("POST", path, { body, signal: controller.signal }).catch((error) => {
      if (!controller.signal.aborted) throw error;
      return undefined;
    });
    tell(run, `POST ${path} ${JSON.stringify(body)}\n    goes on`);
    const own = mark(room, agent, source(condition));
    run.waits.push({ room: room.id, mark: own, condition, reply, leave: () => controller.abort() });
    endAll(room);
    await reached(run, room);
  }
}

/** The client of the oldest wait goes away. */
class Leaving implements Step {
  check = () => true;
  toString = () => "leave";

  async run(world: World, run: Run): Promise<void> {
    const waiting = run.waits.shift();
    if (waiting === undefined) return;
    const room = world.rooms.get(waiting.room)!;
    tell(run, `${waiting.mark.agent} leaves`);
    waiting.leave();
    await waiting.reply;
    unmark(room, waiting.mark);
    await reached(run, room);
  }
}

/** A request that was made under a key is made again: the same to the letter, or as it would be now. */
class Repeating implements Step {
  constructor(readonly nth: number, readonly same: boolean) {}
  toString = () => `repeat ${this.nth}${this.same ? " as it was" : ""}`;
  check = ({ done }: World) => done.size > 0;

  async run(world: World, run: Run): Promise<void> {
    const all = [...world.done.values()];
    const { command, request } = all[this.nth % all.length]!;
    const counts = doneUnder(world, world.ids[command.room]!, command.once!);
    if (!isDetermined(world, command)) return;
    await ask(world, run, this.same && counts ? { ...command, request: () => request } : command);
    await endLeft(world, run);
    await settle(world, run);
  }
}

/** The time of the oldest wait is over, where the test holds it; the others end with it. */
class TimingOut implements Step {
  toString = () => "time out";
  check = ({ clock }: World) => clock.held;

  async run(world: World, run: Run): Promise<void> {
    if (run.waits.length === 0 || !run.timers) return;
    const { mark: first } = run.waits[0]!;
    const ends = first.until - STAYS_MS - world.clock.now;
    await new Passing(Math.max(0, ends)).run(world, run);
    const waits = run.waits.splice(0);
    const before = new Map(waits.map(({ room }) => [room, world.rooms.get(room)!.revision]));
    tell(run, `the time of ${waits.length} waits is over`);
    run.timers.fire();
    for (const { room: id, reply, mark, condition } of waits) {
      const room = world.rooms.get(id)!;
      compare(run, (await reply)!, { ...wait(room, { condition, include: [] }), revision: undefined });
      if (!isLeft(room, mark)) unmark(room, mark);
    }
    await reachAll(world, run, before);
  }
}

/** Time passes, where the test holds it. */
class Passing implements Step {
  constructor(readonly ms: number) {}
  toString = () => `pass ${this.ms}`;
  check = ({ clock }: World) => clock.held;

  async run(world: World, run: Run): Promise<void> {
    world.clock.now += this.ms;
    tell(run, `${this.ms} ms pass`);
    // What is over ends when somebody looks: at once, or the poll of a wait that goes on would.
    for (const room of world.rooms.values()) {
      endAll(room);
      const path = `/rooms/${room.id}/agents`;
      const reply = await send(run, { method: "GET", path }, run.other);
      // A wait that this makes true may be over before: then its own mark is cleared, another revision.
      if (!run.waits.some((waiting) => isOver(world, waiting))) compare(run, reply, listAgents(room));
    }
    await settle(world, run);
  }
}

/** The first event of a stream tells what changed since; where nothing did, the stream begins at the present. */
class Following implements Step {
  constructor(readonly drawn: { place: number; after: number; page: boolean }) {}
  toString = () => `follow ${JSON.stringify(this.drawn)}`;
  check = ({ rooms, ids }: World) => rooms.has(ids[this.drawn.place]!);

  async run(world: World, run: Run): Promise<void> {
    const { place, after: asked, page } = this.drawn;
    const room = world.rooms.get(world.ids[place]!)!;
    const path = `/rooms/${room.id}/${page ? "live" : "events"}`;
    const stream = await openEvents(`${run.subject.url}${path}?after=${asked}`);
    run.asked.add(`GET ${path}`);
    // One that knows more than there is is told so, and then all; a page is loaded anew.
    const reset = asked > room.revision;
    const after = reset ? 0 : asked;
    const expected = changes(room, { after, limit: 100 });
    const fresh = room.revision > after && !(reset && page);
    try {
      const began = { status: stream.status, revision: stream.headers.get("convene-revision") };
      const first = reset ? await stream.next() : undefined;
      const event = fresh ? await stream.next() : undefined;
      tell(run, `GET ${path}?after=${asked}\n    ${first?.type ?? ""} ${JSON.stringify(event?.data)}`);
      explained(run, expected, () => {
        assert.equal(first?.type, reset ? "reset" : undefined);
        assert.deepEqual(began, { status: 200, revision: String(fresh || reset ? after : room.revision) });
        if (!fresh) return;
        assert.equal(event?.id, expected.revision);
        if (!page) return assertHas(event?.data, expected);
        for (const { id } of room.messages.filter(({ changed }) => changed > after)) {
          assert.ok(event?.data.includes(`id="m${id}"`));
        }
      });
    } finally {
      stream.leave();
      await stream.ended;
    }
  }
}

/** Every room as a whole. */
class Comparing implements Step {
  check = () => true;
  toString = () => "compare";

  async run({ rooms }: World, run: Run): Promise<void> {
    for (const room of rooms.values()) {
      const look = async (path: string, expected: Expected) =>
        compare(
          run,
          await send(run, { method: "GET", path: `/rooms/${room.id}${path}` }, run.other),
          expected,
        );
      await look("/state?since=0", list(room, { since: 0, resolve: false }));
      await look("/messages?limit=1000", listMessages(room, { unclaimed: false, limit: 1_000 }));
      for (const { id } of room.messages) await look(`/messages/${id}/attempts`, listAttempts(room, id));
      await look("/reservations", listReservations(room, {}));
      await look("/agents", listAgents(room));
      await look("/changes?limit=1000", listChanges(room, { limit: 1_000 }));
    }
  }
}

function isOver({ rooms }: World, { room, condition, mark }: Waiting): boolean {
  return holds(rooms.get(room)!, condition, mark.agent);
}

/** The waits of agents that have left end, unless that has made them true before. */
async function settleLeft(world: World, run: Run, room: Room): Promise<void> {
  for (const agent of room.leaving.splice(0)) {
    const over = run.waits.filter((waiting) => waiting.room === room.id && waiting.mark.agent === agent);
    run.waits = run.waits.filter((waiting) => !over.includes(waiting));
    for (const waiting of over) {
      const answered = (await waiting.reply)!;
      tell(run, `the wait of ${agent} in ${room.id}, who left\n    ${answered.text}`);
      if (answered.status === 200 && isOver(world, waiting)) continue;
      compare(run, answered, { status: 404, body: { error: "agent_not_found" } });
    }
  }
}

/** Waits whose condition has become true are answered, and clear their marks. */
async function settle(world: World, run: Run): Promise<void> {
  for (const room of world.rooms.values()) await settleLeft(world, run, room);
  const over = run.waits.filter((waiting) => isOver(world, waiting));
  if (over.length === 0) return;
  run.waits = run.waits.filter((waiting) => !over.includes(waiting));
  const before = new Map(over.map(({ room }) => [room, world.rooms.get(room)!.revision]));
  for (const { room: id, reply, mark, condition } of over) {
    const room = world.rooms.get(id)!;
    const answered = (await reply)!;
    tell(run, `the wait of ${mark.agent} in ${id} for ${source(condition)}\n    ${answered.text}`);
    compare(run, answered, { ...wait(room, { condition, include: [] }), revision: undefined });
    unmark(room, mark);
  }
  await reachAll(world, run, before);
}

/** Waits until rooms are at the reference's revisions. `before`: those that they had before waits ended. */
async function reachAll(world: World, run: Run, before: Map<string, number>): Promise<void> {
  for (const [id, revision] of before) {
    const room = world.rooms.get(id)!;
    await reached(run, room);
    await learnOrder(run, room, revision);
  }
}

/** Marks that end together are cleared in any order: which agent's was the last is learned. */
async function learnOrder(run: Run, room: Room, after: number): Promise<void> {
  const agents = [...room.agents.values()].filter(({ changed }) => changed > after);
  if (agents.length < 2) return;
  const { body } = await run.subject.get(`/rooms/${room.id}/changes`, { after });
  const learned = new Map<string, number>(
    body.agents.map(({ id, revision }: Agent & { revision: number }) => [id, revision]),
  );
  explained(
    run,
    agents,
    () => assert.deepEqual([...learned.keys()].sort(), agents.map(({ id }) => id).sort()),
  );
  for (const agent of agents) agent.changed = learned.get(agent.id)!;
}

const REACHED_WITHIN_MS = 5_000;

/** Marks are set without being awaited: asks until the room is at the reference's revision. */
async function reached(run: Run, { id, revision }: Room): Promise<void> {
  for (const deadline = Date.now() + REACHED_WITHIN_MS;;) {
    const { revision: now = 0 } = await run.subject.get(`/rooms/${id}/agents`);
    if (now === revision) return;
    explained(run, { revision }, () => assert.ok(now < revision && Date.now() < deadline, `it is at ${now}`));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Ends what is still going on. */
export async function leaveAll(run: Run): Promise<void> {
  for (const { leave } of run.waits) leave();
  await Promise.all(run.waits.map(({ reply }) => reply));
}

const asking = (commands: fc.Arbitrary<Command>[]) => commands.map((it) => it.map((one) => new Asking(one)));
const writes = asking([
  ...stateCommands.writes,
  ...messageCommands.writes,
  ...messageCommands.writes,
  ...taskCommands.writes,
  ...reservationCommands.writes,
  ...agentCommands.writes,
]);
const reads = asking([
  ...stateCommands.reads,
  ...messageCommands.reads,
  ...taskCommands.reads,
  ...reservationCommands.reads,
  ...agentCommands.reads,
  ...roomCommands,
  ...lookCommands,
  ...liveCommands,
]);
const beginning = fc.noBias(fc.record({ place, agent, condition: plainCondition })).map((it) =>
  new Beginning(it)
);
const following = fc.noBias(fc.record({ place, after: revision, page: fc.boolean() })).map((it) =>
  new Following(it)
);
const repeating = fc.noBias(fc.tuple(fc.nat(9), fc.boolean())).map(([nth, same]) => new Repeating(nth, same));
/** Some of them to the millisecond at which something ends, or to the one before. */
const passing = fc.constantFrom(1_000, 31_000, 61_000, 99_999, 100_000, 500_000, 90_000_000).map((ms) =>
  new Passing(ms)
);

/** Writes twice as often as reads, so that there is something to read. */
export const steps: fc.Arbitrary<Step>[] = [
  ...writes,
  ...writes,
  ...reads,
  beginning,
  beginning,
  fc.constant(new Leaving()),
  following,
  repeating,
  repeating,
  passing,
  passing,
  fc.constant(new TimingOut()),
];

/** What every run begins and ends with. */
export const first: Step[] = [0, 1].map((place) => new Asking(opening({ place })));
export const last: Step[] = [new Comparing()];
