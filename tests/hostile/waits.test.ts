import assert from "node:assert/strict";
import { Connection } from "../../bench/support/connection.ts";
import { onThisMachine } from "../support/bounds.ts";
import { type Filled, onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** Rooms with a wait each, and agents of a room that wait for one another. */
const ROOMS = 1_000;
const AGENTS = 400;
/** Messages of a room, of common length. */
const MESSAGES = 200;
/** Some looks of the poll pass in it, and two of the seconds after which the time is judged again. */
const WAIT_MS = 2_200;
/** Enough for all to begin and some looks, where no condition reads the time. */
const TIMELESS_MS = 1_400;
/** Requests that are sent at once: a flood of them is what all endpoints have to bear. */
const AT_ONCE = 50;
const LONG_AGO = "2026-01-01T00:00:00.000Z";
/** Nearly all the steps that an evaluation may take, over a list that `state._shared.list` holds. */
const COSTLY = "state._shared.list.all(x, state._shared.list.all(y, x + y >= 0))";
const COSTLY_LENGTH = 150;

/** What an attack may use: the rooms `r0` to `r999`; `team` has agents, `other` is left alone. */
interface Attacker extends Pick<Filled, "url" | "database"> {
  /** Begins a wait on each of some connections, all to end at the same time; resolves when all are answered. */
  waitAll(waits: Wait[], timeout?: number): Promise<Answered[]>;
}

interface Wait {
  room: string;
  condition: string;
  agent?: string;
  include?: string;
}

// deno-lint-ignore no-explicit-any -- a body is looked into, not typed
type Answered = any;

const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
const allTimedOut = (answers: Answered[]) => all(answers, ({ timeout }) => timeout === true);
const allTriggered = (answers: Answered[]) => all(answers, ({ triggered }) => triggered === true);

/** Asserts of all answers; tells of the first that is otherwise. */
function all(answers: Answered[], holds: (answer: Answered) => boolean): void {
  const others = answers.filter((answer) => !holds(answer));
  const first = JSON.stringify(others[0])?.slice(0, 200);
  assert.equal(others.length, 0, `${others.length} of ${answers.length} were answered otherwise: ${first}`);
}

/** They may tell how long a wait in another room was answered late. */
const ATTACKS: Record<string, (attacker: Attacker) => Promise<number | void>> = {
  async "1,000 waits on time in 1,000 rooms, begun and ended at once"({ waitAll }) {
    const condition = `now > timestamp("2100-01-01T00:00:00Z") || has(state._shared.go)`;
    allTimedOut(await waitAll(times(ROOMS, (n) => ({ room: `r${n}`, agent: "ann", condition }))));
  },

  async "1,000 waits on time in one room, none like another"({ waitAll }) {
    const condition = (n: number) =>
      `now > timestamp("2100-01-01T00:00:00Z") || size(agents) == ${AGENTS + 1 + n}`;
    allTimedOut(await waitAll(times(ROOMS, (n) => ({ room: "team", condition: condition(n) }))));
  },

  async "400 agents that wait until all the others wait"({ waitAll }) {
    const condition = `agents.all(a, agents[a].status == "waiting")`;
    const waits = times(AGENTS, (n) => ({ room: "team", agent: `a${n}`, condition }));
    allTimedOut(await waitAll(waits, TIMELESS_MS));
  },

  async "400 agents that come to a barrier one after the other"({ url, waitAll }) {
    const writer = await Connection.open(url);
    await writer.request("PUT", "/rooms/team/state", { key: "arrived", value: 0 });
    const condition = `state._shared.arrived >= ${AGENTS} && size(agents) == ${AGENTS}`;
    const waits = waitAll(
      times(AGENTS, (n) => ({ room: "team", agent: `a${n}`, condition })),
      20_000,
    );
    for (let n = 0; n < AGENTS; n++) {
      await writer.request("PUT", "/rooms/team/state", { key: "arrived", increment: true });
    }
    writer.close();
    allTriggered(await waits);
  },

  async "1,000 waits that end at once and include the state"({ waitAll }) {
    const wait = { room: "team", condition: "false", include: "state" };
    const answers = await waitAll(times(ROOMS, () => wait), 1_500);
    allTimedOut(answers);
    all(answers, ({ state }) => state._shared.list !== undefined);
  },

  async "1,000 different waits that end at once and include 400 agents"({ waitAll }) {
    const condition = (n: number) => `size(agents) == ${AGENTS + 1 + n}`;
    const answers = await waitAll(
      times(ROOMS, (n) => ({ room: "team", condition: condition(n), include: "state,agents" })),
      TIMELESS_MS,
    );
    allTimedOut(answers);
    all(answers, ({ agents }) => Object.keys(agents).length === AGENTS);
  },

  async "1,000 waits that end at once and include the changes"({ waitAll }) {
    const answers = await waitAll(
      times(ROOMS, () => ({ room: "team", condition: "false", include: "changes:after:0" })),
      1_500,
    );
    allTimedOut(answers);
    all(answers, ({ changes }) => changes.messages.length === MESSAGES && changes.agents.length === AGENTS);
  },

  async "400 agents whose waits end at once and include the agents and the changes"(
    { waitAll },
  ) {
    const include = "agents,changes:after:0";
    const waits = times(AGENTS, (n) => ({ room: "team", agent: `a${n}`, condition: "false", include }));
    const answers = await waitAll(waits, 1_500);
    allTimedOut(answers);
    all(answers, ({ agents, changes }) => Object.keys(agents).length === changes.agents.length);
    for (const [n, { agents }] of answers.entries()) assert.equal(agents[`a${n}`].status, "active");
  },

  async "300 waits on heartbeats in one room"({ waitAll }) {
    const condition = (n: number) =>
      `agents.exists(a, timestamp(agents[a].last_heartbeat) > now + duration("${n + 1}h"))`;
    allTimedOut(await waitAll(times(300, (n) => ({ room: "team", condition: condition(n) }))));
  },

  async "1,000 leases that end at once, each waited for"({ database, waitAll }) {
    await database.execute({
      sql:
        `INSERT OR REPLACE INTO waits SELECT id, 'ann', 'dead', 'true', ?, 1 FROM rooms WHERE id LIKE 'r%'`,
      args: [Date.now() + TIMELESS_MS],
    });
    const condition = `agents.ann.status != "waiting"`;
    allTriggered(
      await waitAll(times(ROOMS, (n) => ({ room: `r${n}`, condition })), onThisMachine(2 * WAIT_MS)),
    );
  },

  async "300 costly waits on time in 300 rooms, and a wait in another room"({ url, waitAll }) {
    const list = JSON.stringify(times(COSTLY_LENGTH, () => 1));
    const costly = COSTLY.replaceAll("state._shared.list", list);
    const condition = `${costly} && now < timestamp("2000-01-01T00:00:00Z")`;
    const waits = waitAll(times(300, (n) => ({ room: `r${n}`, condition })), 4_000);
    const [waiter, writer] = [await Connection.open(url), await Connection.open(url)];
    // Each of the costly ones is new once.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const wakeUps: number[] = [];
    for (let n = 0; n < 10; n++) {
      const waiting = waiter.request("POST", "/rooms/r999/wait", {
        condition: `state._shared.?step.orValue(-1) == ${n}`,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      const written = performance.now();
      await writer.request("PUT", "/rooms/r999/state", { key: "step", value: n });
      assert.equal(JSON.parse((await waiting).text).triggered, true);
      wakeUps.push(performance.now() - written);
    }
    waiter.close();
    writer.close();
    all(await waits, ({ status, timeout }) => timeout === true || status === 503);
    wakeUps.sort((a, b) => a - b);
    console.log(
      `a wait in another room was answered after ${wakeUps.map((ms) => ms.toFixed(0)).join(", ")} ms`,
    );
    return wakeUps.at(-2)!; // the slowest may have met something else that the machine did
  },

  async "400 costly waits of one room, all different, woken by every write"({ url, waitAll }) {
    const condition = (n: number) => `${COSTLY} && size(state._shared.list) < 0 && ${n} > 0`;
    const waits = waitAll(times(AGENTS, (n) => ({ room: "team", condition: condition(n) })));
    const [writer, other] = [await Connection.open(url), await Connection.open(url)];
    const wakeUps: number[] = [];
    for (let n = 0; n < 15; n++) {
      await writer.request("PUT", "/rooms/team/state", { key: "list", value: times(COSTLY_LENGTH, () => n) });
      const waiting = other.request("POST", "/rooms/r0/wait", {
        condition: `state._shared.?step.orValue(-1) == ${n}`,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      await writer.request("PUT", "/rooms/r0/state", { key: "step", value: n });
      const written = performance.now();
      assert.equal(JSON.parse((await waiting).text).triggered, true);
      wakeUps.push(performance.now() - written);
    }
    writer.close();
    other.close();
    all(await waits, ({ status, timeout }) => timeout === true || status === 503);
    wakeUps.sort((a, b) => a - b);
    console.log(
      `a wait in another room was answered after ${wakeUps.map((ms) => ms.toFixed(0)).join(", ")} ms`,
    );
    return wakeUps.at(-1)!;
  },
};

const ROOM =
  `INSERT INTO rooms (id, created_at, meta, agent_count, revision, agents_revision, state_revision)`;
const MESSAGE = `
  INSERT INTO messages (room_id, id, from_agent, kind, body, created_at, revision)`;
const AGENT = `
  INSERT INTO agents (room_id, id, name, role, meta, status, joined, joined_at, last_heartbeat, revision)`;
const numbers = (name: string) =>
  `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ${name})`;

/** Statements that fill a database, each with its arguments. */
const FILLING: [sql: string, args: Record<string, string | number>][] = [
  [`${numbers(":rooms")} ${ROOM} SELECT 'r' || n, :now, '{}', 1, 1, 1, 1 FROM n`, {
    rooms: ROOMS,
    now: LONG_AGO,
  }],
  [`${ROOM} VALUES ('other', :now, '{}', 0, 0, 0, 0), ('team', :now, '{}', :agents, :messages, 1, 1)`, {
    now: LONG_AGO,
    agents: AGENTS,
    messages: MESSAGES,
  }],
  [
    `${AGENT} SELECT id, 'ann', 'Ann', 'agent', '{}', 'active', 1, :now, :now, 1 FROM rooms WHERE id LIKE 'r%'`,
    {
      now: LONG_AGO,
    },
  ],
  [
    `${numbers(":agents")} ${AGENT}
     SELECT 'team', 'a' || n, 'A', 'agent', '{"skills":["read","write"],"load":{"cpu":1}}', 'active', n, :now, :now, 1 FROM n`,
    { agents: AGENTS, now: LONG_AGO },
  ],
  [
    `${numbers(":messages")} ${MESSAGE}
     SELECT 'team', n + 1, 'a0', 'message', '"' || hex(zeroblob(100)) || '"', :now, n + 1 FROM n`,
    { messages: MESSAGES, now: LONG_AGO },
  ],
  [
    `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, deleted)
     VALUES ('team', '_shared', 'list', :list, 1, 1, :now, 0)`,
    { list: JSON.stringify(times(COSTLY_LENGTH, () => 1)), now: LONG_AGO },
  ],
];

/** Runs a test with a thousand connections to a service over rooms as above. */
async function attacking(
  { url, database }: Filled,
  test: (attacker: Attacker) => Promise<void>,
): Promise<void> {
  const connections = await Promise.all(times(ROOMS, () => Connection.open(url)));
  async function waitAll(waits: Wait[], timeout = WAIT_MS) {
    const end = performance.now() + timeout;
    const answering: Promise<Answered>[] = [];
    for (const [n, { room, ...body }] of waits.entries()) {
      const wait = { ...body, timeout: Math.max(0, Math.round(end - performance.now())) };
      answering.push(connections[n]!.request("POST", `/rooms/${room}/wait`, wait));
      if (n % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const answers = await Promise.allSettled(answering);
    return answers.map((answer) =>
      answer.status === "fulfilled" ? { ...answer.value, ...JSON.parse(answer.value.text) } : answer
    );
  }
  try {
    await test({ url, database, waitAll });
  } finally {
    connections.forEach((connection) => connection.close());
  }
}

const wanted = Deno.env.get("ATTACK") ?? "";
onFilled(
  (database) => database.batch(FILLING.map(([sql, args]) => ({ sql, args })), "write"),
  {
    "waits of one caller hold up no other room": (filled, t) =>
      attacking(filled, async (attacker) => {
        for (const [attack, run] of Object.entries(ATTACKS)) {
          if (!attack.includes(wanted)) continue;
          await t.step(attack, async () => {
            const other = { url: attacker.url, path: "/rooms/other" };
            const { slowest, median } = await assertOthersServed(attack, other, () => run(attacker));
            console.log(
              `${attack}: others waited ${slowest.toFixed(0)} ms at most, ${median.toFixed(1)} at the median`,
            );
          });
        }
      }),
  },
  { ROOM_RATE_LIMIT: "0" },
);
