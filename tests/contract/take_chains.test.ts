import assert from "node:assert/strict";
import fc from "fast-check";
import { DATABASES } from "../support/databases.ts";
import { type Ask, withInstances } from "../support/instances.ts";

const SEED = Number(Deno.env.get("CHAINS_SEED") ?? Date.now() % 2 ** 31);
const ROUNDS = 10;
const AT_ONCE = 24;

interface Task {
  id: number;
  kind: string;
  n: number;
}

/** A room, as far as takes look at it. */
interface Room {
  open: Task[];
  pick: number;
}

/** What takes ask for, and what it means. */
const TAKES: Array<[members: object, fits: (task: Task, room: Room) => boolean]> = [
  [{ where: "message.body == 1" }, ({ n }) => n === 1],
  [{ where: "message.body >= 2" }, ({ n }) => n >= 2],
  [{ where: "message.body == state._shared.pick" }, ({ n }, { pick }) => n === pick],
  [
    { where: "message.body != state._shared.pick", kind: "b" },
    ({ n, kind }, { pick }) => n !== pick && kind === "b",
  ],
  [{ where: "true" }, () => true],
  [
    { where: "messages.kind.task.open > 3", kind: "task" },
    ({ kind }, { open }) => kind === "task" && open.filter((task) => task.kind === "task").length > 3,
  ],
  [{}, () => true],
  [{ where: "1 / message.body > 0 && message.body == 1" }, ({ n }) => n === 1],
];

/** What happens at a revision; a take of nothing happens at the one that it answers. */
type Event =
  & { revision: number }
  & ({ posted: Task } | { picked: number } | { take: number; taken: number | undefined });

/** Fails unless there is one order in which each take got the oldest that fitted then, or nothing did. */
function check(events: Event[], room: Room): void {
  const rank = (event: Event) => event.revision * 2 + Number("take" in event && event.taken === undefined);
  for (const event of events.sort((a, b) => rank(a) - rank(b))) {
    if ("posted" in event) room.open.push(event.posted);
    else if ("picked" in event) room.pick = event.picked;
    else {
      const first = room.open.find((task) => TAKES[event.take]![1](task, room));
      const told = `${JSON.stringify(TAKES[event.take]![0])} at ${event.revision} of ${JSON.stringify(room)}`;
      assert.equal(event.taken, first?.id, told);
      room.open = room.open.filter(({ id }) => id !== event.taken);
    }
  }
}

for (const kind of Object.keys(DATABASES)) {
  Deno.test(`${kind}: takes that come at once, at two instances, each get the oldest that those before it leave`, async () => {
    console.log(`chains of takes: seed ${SEED}`);
    await withInstances(kind, async (asked) => {
      const ask: Ask = async (...request) => {
        const answer = await asked(...request);
        assert.ok(answer.status < 300, JSON.stringify(answer.body));
        return answer;
      };
      const step = fc.tuple(fc.nat(11), fc.nat(3), fc.nat(7));
      const draws = fc.sample(fc.array(step, { minLength: AT_ONCE, maxLength: AT_ONCE }), {
        seed: SEED,
        numRuns: ROUNDS,
      });
      for (const [round, drawn] of draws.entries()) {
        const path = `/rooms/r${round}`;
        await ask(0, "POST", "/rooms", { id: `r${round}` });
        await ask(0, "PUT", `${path}/state`, { key: "pick", value: 2 });
        const room: Room = { open: [], pick: 2 };
        const post = async (at: number, kind: string, n: number): Promise<Task> => {
          const { body: { id } } = await ask(at, "POST", `${path}/messages`, { kind, body: n });
          return { id, kind, n };
        };
        for (let n = 0; n < 12; n++) room.open.push(await post(0, n % 3 ? "task" : "b", n % 4));
        const events = await Promise.all(drawn.map(async ([what, n, at], nth): Promise<Event> => {
          const instance = at === 0 ? 1 : 0; // most at one, so that chains are long
          if (what < TAKES.length) {
            const headers = at === 7 ? { "Idempotency-Key": `take ${nth}` } : undefined;
            const members = { agent: `a${nth}`, ...TAKES[what]![0] };
            const { body, revision } = await ask(
              instance,
              "POST",
              `${path}/messages/claim`,
              members,
              headers,
            );
            return { revision, take: what, taken: body.message_id };
          }
          if (what > TAKES.length) {
            const posted = await post(instance, n % 2 ? "task" : "b", n);
            return { revision: posted.id, posted };
          }
          const { revision } = await ask(instance, "PUT", `${path}/state`, { key: "pick", value: n });
          return { revision, picked: n };
        }));
        check(events, room);
        const { body: left } = await ask(1, "GET", `${path}/messages?unclaimed=true`, undefined);
        assert.deepEqual(left.map(({ id }: Task) => id), room.open.map(({ id }) => id));
      }
    });
  });
}
