/**
 * Workers that take the next task of one queue against workers that are told which task to claim; and what a take costs
 * that finds nothing among many open messages.
 */
import { startService } from "../tests/support/service.ts";
import type { Connection } from "./support/connection.ts";
import { openDatabase, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { ask, connected } from "./support/requests.ts";
import { alternate, median, medians } from "./support/statistics.ts";

const WORKERS = 20;
const TASKS = quick ? 200 : 2_000;
const ROUNDS = quick ? 1 : 5;
/** Open messages that do not fit. */
const OTHERS = quick ? 2_000 : 10_000;
/** Takes that find nothing, in a round. */
const LOOKS = quick ? 10 : 100;
/** What one request passes at most, as docs/api.md promises. */
const PASSED = 1_000;
/** Requests at once that fill a queue. */
const POSTERS = 32;

const report = new Report("queue");
await withCleanup(async (stack) => {
  const database = await openDatabase(stack, "libsql");
  const services = [await startService({ database }), await startService({ database })];
  for (const service of services) stack.defer(() => service.stop());
  await workers(services.map(({ url }) => url));
  await misfits(services[0]!.url);
});
await report.finish();

/** A room with so many open tasks of a kind. */
async function filled(posters: Connection[], room: string, count: number, kind: string): Promise<void> {
  await ask(posters[0]!, "POST", "/rooms", { id: room });
  let left = count;
  await Promise.all(posters.map(async (poster) => {
    while (left-- > 0) await ask(poster, "POST", `/rooms/${room}/messages`, { kind, body: { file: "a.ts" } });
  }));
}

/** Twenty workers at two instances, each of which finishes what it has before it asks for more. */
function workers(urls: string[]): Promise<void> {
  return withCleanup(async (stack) => {
    const posters = await all(POSTERS, () => connected(stack, urls[0]!));
    const own = await all(WORKERS, (n) => connected(stack, urls[n % urls.length]!));
    const subjects = ["claim by id", "take next"] as const;
    const samples = await alternate(subjects, ROUNDS, async (subject, round) => {
      const room = `${subject.replaceAll(" ", "-")}-${round}`;
      await filled(posters, room, TASKS, "task");
      const began = performance.now();
      const done = await all(WORKERS, (n) => work(subject, own[n]!, room, n));
      const ms = performance.now() - began;
      await assertEachOnce(own[0]!, room, done.flat());
      const counts = done.map(({ length }) => length);
      return {
        "tasks per second": TASKS / ms * 1_000,
        "least of a worker": Math.min(...counts),
        "most of a worker": Math.max(...counts),
      };
    });
    const rows = subjects.map((subject) => ({ subject, ...medians(samples[subject]) }));
    report.table(
      `${WORKERS} workers at ${urls.length} instances, ${TASKS} tasks: medians of ${ROUNDS} rounds`,
      rows,
    );
    const ratios = samples["take next"].map((sample, round) =>
      sample["tasks per second"] / samples["claim by id"][round]!["tasks per second"]
    );
    report.target("take next per claim by id", median(ratios), { least: 0.6 });
  });
}

/** What one worker finishes, by id. A claim that is refused ends the benchmark: `ask` throws. */
async function work(
  subject: "claim by id" | "take next",
  connection: Connection,
  room: string,
  number: number,
): Promise<number[]> {
  const agent = `worker-${number}`;
  const messages = `/rooms/${room}/messages`;
  const done: number[] = [];
  for (let id = number + 1; subject === "take next" || id <= TASKS; id += WORKERS) {
    const claim = subject === "take next"
      ? await ask(connection, "POST", `${messages}/claim`, { agent, kind: "task", ttl: 60 })
      : await ask(connection, "POST", `${messages}/${id}/claim`, { agent, ttl: 60 });
    if (!claim.claimed) break;
    await ask(connection, "POST", `${messages}/${claim.message_id}/complete`, { agent, fence: claim.fence });
    done.push(claim.message_id);
  }
  return done;
}

async function assertEachOnce(connection: Connection, room: string, done: number[]): Promise<void> {
  if (done.length !== TASKS || new Set(done).size !== TASKS) {
    throw new Error(`${new Set(done).size} of ${TASKS} tasks were done, by ${done.length} completions.`);
  }
  for (let after = 0; after < TASKS;) {
    const path = `/rooms/${room}/messages?after=${after}&limit=${PASSED}`;
    const page: Array<{ id: number; status: string; attempts: number }> = await ask(connection, "GET", path);
    const other = page.find(({ status, attempts }) => status !== "done" || attempts !== 1);
    if (other || page.length === 0) throw new Error(`Not done once: ${JSON.stringify(other ?? after)}`);
    after = page.at(-1)!.id;
  }
}

/** Takes that find nothing: by a kind, in an empty queue and in a long one of others; by `where`, in the long one. */
function misfits(url: string): Promise<void> {
  return withCleanup(async (stack) => {
    const posters = await all(POSTERS, () => connected(stack, url));
    const [connection, other] = [posters[0]!, await connected(stack, url)];
    await filled(posters, "empty", 0, "other");
    await filled(posters, "long", OTHERS, "other");
    const subjects = {
      "kind, empty": { room: "empty", body: { kind: "task" } },
      "kind, long": { room: "long", body: { kind: "task" } },
      "where, empty": { room: "empty", body: { kind: "other", where: "message.body.file == 'b.ts'" } },
      "where, long": { room: "long", body: { kind: "other", where: "message.body.file == 'b.ts'" } },
    };
    type Subject = keyof typeof subjects;
    const samples = await alternate(Object.keys(subjects) as Subject[], ROUNDS, async (subject) => {
      const { room, body } = subjects[subject];
      const times: number[] = [];
      const others = await heldUp(other, async () => {
        for (let n = 0; n < LOOKS; n++) {
          const began = performance.now();
          const answer = await ask(connection, "POST", `/rooms/${room}/messages/claim`, {
            agent: "a",
            ...body,
          });
          times.push(performance.now() - began);
          const next = subject === "where, long" ? PASSED : undefined;
          if (answer.claimed || answer.next !== next || Boolean(answer.more) !== (next !== undefined)) {
            throw new Error(`${subject}: ${JSON.stringify(answer)}`);
          }
        }
      });
      return {
        "median ms": median(times),
        "slowest ms": Math.max(...times),
        "others median ms": median(others),
        "others slowest ms": Math.max(...others),
      };
    });
    const rows = Object.entries(samples).map(([subject, rounds]) => ({ subject, ...medians(rounds) }));
    report.table(`takes that find nothing, ${OTHERS} open messages in the long queue`, rows);
    const of = (subject: Subject) => medians(samples[subject]);
    report.target(
      "kind, long queue per empty one",
      of("kind, long")["median ms"] / of("kind, empty")["median ms"],
      { most: 1.25 },
    );
    report.target("where, long queue: others at the slowest", of("where, long")["others slowest ms"], {
      most: 100,
    }, " ms");
  });
}

/** The milliseconds of the requests that another room's reader makes meanwhile. */
async function heldUp(connection: Connection, meanwhile: () => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  let ended = false;
  const looking = (async () => {
    while (!ended) {
      const began = performance.now();
      await ask(connection, "GET", "/rooms/empty");
      took.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await meanwhile().finally(() => void (ended = true));
  await looking;
  return took;
}

function all<T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => make(n)));
}
