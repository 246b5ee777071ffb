/**
 * Writes that depend on what they find against plain increments: gates and edits of one hot key, gates of sixteen keys of
 * sixteen rooms, agents in turns.
 */
import { startService } from "../tests/support/service.ts";
import { type LoadClient, startLoadClient } from "./support/load_client.ts";
import { openDatabase, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { ask, connected } from "./support/requests.ts";
import { alternate, medians } from "./support/statistics.ts";

const CLIENTS = 16;
const AGENTS = 8;
/** Of each agent in a round. */
const TURNS = quick ? 4 : 50;
const ROUNDS = quick ? 1 : 5;
const ROUND_MS = quick ? 500 : 3_000;

const GATE = "state._shared.?count.orValue(0) < 1000000000";
const plain = { key: "count", increment: true };
const gated = { ...plain, if: GATE };
/** Edits of one key, which each round begins anew: lists grow. */
const EDITS = {
  "one key, appended": (round: number) => ({ key: `list${round}`, append: 1 }),
  "one key, appended by a gate": (round: number) => ({
    key: `gated${round}`,
    append: 1,
    if: `state._shared.?gated${round}.orValue([]).size() < 1000000000`,
  }),
  "one key, a fraction added": () => ({ key: "sum", increment: 0.25 }),
};

const report = new Report("gates");
await withCleanup(async (stack) => {
  const load = startLoadClient();
  stack.defer(() => load.stop());
  const service = await startService({ database: await openDatabase(stack, "libsql") });
  stack.defer(() => service.stop());
  await counters(load, service.url);
  await turns(service.url);
});
await report.finish();

/** Sixteen clients on one key, and on a key each of sixteen rooms. */
function counters(load: LoadClient, url: string): Promise<void> {
  return withCleanup(async (stack) => {
    const connection = await connected(stack, url);
    const rooms = Array.from({ length: CLIENTS }, (_, n) => `room-${n}`);
    for (const id of rooms) await ask(connection, "POST", "/rooms", { id });
    const inRooms = (body: unknown, some: string[]) =>
      some.map((id): [string, string, unknown] => ["PUT", `/rooms/${id}/state`, body]);
    const subjects = {
      "one key, plain": inRooms(plain, rooms.slice(0, 1)),
      "one key, gated": inRooms(gated, rooms.slice(0, 1)),
      "16 rooms, plain": inRooms(plain, rooms),
      "16 rooms, gated": inRooms(gated, rooms),
    };
    type Subject = keyof typeof subjects | keyof typeof EDITS;
    const names = [...Object.keys(subjects), ...Object.keys(EDITS)] as Subject[];
    const samples = await alternate(names, ROUNDS, async (subject, round) => {
      const requests = subject in EDITS
        ? inRooms(EDITS[subject as keyof typeof EDITS](round), rooms.slice(0, 1))
        : subjects[subject as keyof typeof subjects];
      const job = { urls: [url], connections: CLIENTS, ms: ROUND_MS, requests };
      const { perSecond, p50, p99, fairness, statuses } = await load.run(job);
      const { 200: _, ...refused } = statuses;
      if (Object.keys(refused).length > 0) throw new Error(`${subject}: ${JSON.stringify(statuses)}`);
      return { "per second": perSecond, "p50 ms": p50, "p99 ms": p99, fairness };
    });
    const rows = Object.entries(samples).map(([subject, rounds]) => ({ subject, ...medians(rounds) }));
    report.table(`gates and edits: medians of ${ROUNDS} rounds, ${CLIENTS} clients`, rows);
    const rate = (subject: Subject) => medians(samples[subject])["per second"];
    report.target("one key: gated per plain", rate("one key, gated") / rate("one key, plain"), {
      least: 0.5,
    });
    for (const edit of Object.keys(EDITS) as Array<keyof typeof EDITS>) {
      report.target(`${edit}, per plain`, rate(edit) / rate("one key, plain"), { least: 0.5 });
    }
    report.target("16 rooms: gated per plain", rate("16 rooms, gated") / rate("16 rooms, plain"), {
      least: 0.6,
    });
    report.target("one key, gated: fastest client per slowest", medians(samples["one key, gated"]).fairness, {
      most: 2,
    });
  });
}

/** Agents that wait for their turn and hand it on, by a gate or by the version of the turn. */
function turns(url: string): Promise<void> {
  return withCleanup(async (stack) => {
    const subjects = ["if", "if_version"] as const;
    const connection = await connected(stack, url);
    const samples = await alternate(subjects, ROUNDS, async (subject, round) => {
      const room = `/rooms/turns-${subject}-${round}`;
      await ask(connection, "POST", "/rooms", { id: room.slice(7) });
      await ask(connection, "PUT", `${room}/state`, { key: "turn", value: 0 });
      const began = performance.now();
      await Promise.all(Array.from({ length: AGENTS }, async (_, n) => {
        const own = await connected(stack, url);
        const isMine = `state._shared.turn == ${n}`;
        for (let turn = 0; turn < TURNS; turn++) {
          await ask(own, "POST", `${room}/wait`, { condition: isMine });
          const held = subject === "if" ? {} : { if_version: turn * AGENTS + n + 1 };
          const writes = [{ key: "turn", value: (n + 1) % AGENTS, ...held }, { key: "log", increment: 1 }];
          await ask(own, "PUT", `${room}/state/batch`, { writes, ...(subject === "if" && { if: isMine }) });
        }
      }));
      return { "turns per second": AGENTS * TURNS / (performance.now() - began) * 1_000 };
    });
    const rows = subjects.map((subject) => ({ subject, ...medians(samples[subject]) }));
    report.table(`turns of ${AGENTS} agents: medians of ${ROUNDS} rounds`, rows);
    const [gate, version] = rows as [typeof rows[number], typeof rows[number]];
    report.target(
      "turns by gate per turns by version",
      gate["turns per second"] / version["turns per second"],
      {
        least: 0.8,
      },
    );
  });
}
