/** The time of each operation in rooms of three sizes, against the smallest. */
import { startService } from "../tests/support/service.ts";
import type { Connection } from "./support/connection.ts";
import { fillRoom, openFiller } from "./support/fill.ts";
import { openDatabase, type Place, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { ask, connected } from "./support/requests.ts";
import { alternate, median } from "./support/statistics.ts";

const SIZES = {
  small: { keys: 10, messages: 10 },
  medium: { keys: 1_000, messages: 10_000 },
  large: { keys: 10_000, messages: 100_000 },
};
type Size = keyof typeof SIZES;
const NAMES = Object.keys(SIZES) as Size[];

const ROUNDS = quick ? 2 : 40;
/** Requests of one operation in one room in one round. A small room has few messages to be claimed. */
const REQUESTS = 8;

type Request = [method: string, path: string, body?: unknown];

/** Requests to a room by operation; `n` counts from 0 and is never the same again in a room. */
const OPERATIONS: Record<string, (room: string, n: number, messages: number) => Request> = {
  "GET one key": (room) => ["GET", `${room}/state?key=k5`],
  "PUT one key": (room, n) => ["PUT", `${room}/state`, { key: "k5", value: n }],
  "PUT behind a gate": (
    room,
    n,
  ) => ["PUT", `${room}/state`, { key: "k5", value: n, if: "state._shared.k5 >= 0" }],
  "eval of one key": (room) => ["POST", `${room}/eval`, { expr: "state._shared.k5 + 1" }],
  "POST message": (room, n) => ["POST", `${room}/messages`, { body: n }],
  "GET messages?after=": (room, _, messages) => ["GET", `${room}/messages?after=${messages - 5}&limit=5`],
  "claim": (room, n) => ["POST", `${room}/messages/${n + 1}/claim`, { agent: "ann" }],
  "wait true at once": (room) => ["POST", `${room}/wait`, { condition: "state._shared.k5 >= 0" }],
};

const report = new Report("scaling");
for (const place of ["file", "libsql"] as const) await measure(place);
await report.finish();

function measure(place: Place): Promise<void> {
  return withCleanup(async (stack) => {
    const database = await openDatabase(stack, place);
    const service = await startService({ database });
    stack.defer(() => service.stop());
    const connection = await connected(stack, service.url);
    await fill(connection, database);

    const rows = [];
    for (const [operation, request] of Object.entries(OPERATIONS)) {
      const times = await alternate(NAMES, ROUNDS, (size, round) => timeOf(connection, size, round, request));
      const against = (size: Size) => median(times[size].map((time, round) => time / times.small[round]!));
      rows.push({
        operation,
        "small ms": median(times.small),
        "medium ms": median(times.medium),
        "large ms": median(times.large),
        "medium/small": against("medium"),
        "large/small": against("large"),
      });
      report.target(`${operation}, ${place}: large against small`, against("large"), { most: 1.3 }, "x");
    }
    const sizes = Object.entries(SIZES).map(([name, { keys, messages }]) =>
      `${name} ${keys} keys and ${messages} messages`
    );
    report.table(`${place}: ${sizes.join(", ")}; medians of ${ROUNDS} rounds of ${REQUESTS}`, rows);
  });
}

/** The room of a round: a small one is used for one round only, so that it stays small. */
function roomOf(size: Size, round: number): string {
  return size === "small" ? `small-${round}` : size;
}

async function fill(connection: Connection, database: string): Promise<void> {
  const filler = await openFiller(database);
  try {
    for (const size of NAMES) {
      for (let round = 0; round <= (size === "small" ? ROUNDS : 0); round++) {
        const id = roomOf(size, round);
        await ask(connection, "POST", "/rooms", { id });
        await fillRoom(filler, id, SIZES[size]);
      }
    }
  } finally {
    filler.close();
  }
}

/** The median time of an operation in a room, in milliseconds. */
async function timeOf(
  connection: Connection,
  size: Size,
  round: number,
  request: (room: string, n: number, messages: number) => Request,
): Promise<number> {
  const room = roomOf(size, round);
  const first = size === "small" ? 0 : round * REQUESTS;
  const times: number[] = [];
  for (let n = first; n < first + REQUESTS; n++) {
    const [method, path, body] = request(`/rooms/${room}`, n, SIZES[size].messages);
    const began = performance.now();
    await ask(connection, method, path, body);
    times.push(performance.now() - began);
  }
  return median(times);
}
