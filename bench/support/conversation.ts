import type { Json } from "../../tests/support/client.ts";
import { Connection } from "./connection.ts";
import { pause } from "./pause.ts";
import { ask } from "./requests.ts";

/** Milliseconds from the answer to each write to that of the wait that it woke. */
export interface Wakes {
  delays: number[];
  missed: number;
}

/** How often a wait is tried again that was not woken, before the measurement gives up. */
const TIMEOUT_MS = 5_000;

interface Side {
  agent: string;
  writer: Connection;
  waiter: Connection;
}

async function sidesOf(urls: readonly string[], room: string): Promise<[Side, Side]> {
  const sides: Side[] = [];
  for (const [n, agent] of ["ann", "bob"].entries()) {
    const [writer, waiter] = [await Connection.open(urls[n]!), await Connection.open(urls[n]!)];
    if (n === 0) await ask(writer, "POST", "/rooms", { id: room });
    await ask(writer, "POST", `/rooms/${room}/agents`, { id: agent, name: agent });
    sides.push({ agent, writer, waiter });
  }
  return sides as [Side, Side];
}

function close(sides: Side[]): void {
  for (const { writer, waiter } of sides) [writer, waiter].forEach((connection) => connection.close());
}

/** Begins a wait of a side for the turn `turn`; gives when it was answered, undefined where it was not woken. */
async function turnOf({ agent, waiter }: Side, room: string, turn: number): Promise<number | undefined> {
  const body = { agent, condition: `state._shared.turn >= ${turn}`, timeout: TIMEOUT_MS };
  const answer: Json = await ask(waiter, "POST", `/rooms/${room}/wait`, body);
  return answer.triggered ? performance.now() : undefined;
}

/**
 * Two agents, each at an instance of its own, take turns: each waits for its turn, takes `thinks()` milliseconds, waits
 * for its next turn and writes the other's. The first `warmUp` turns are not counted.
 */
export async function pingPong(
  urls: readonly string[],
  { room, turns, warmUp, thinks }: { room: string; turns: number; warmUp: number; thinks(): number },
): Promise<Wakes> {
  const sides = await sidesOf(urls, room);
  const wakes: Wakes = { delays: [], missed: 0 };
  try {
    await ask(sides[0].writer, "PUT", `/rooms/${room}/state`, { key: "turn", value: 0 });
    let waiting = turnOf(sides[1], room, 1);
    for (let turn = 1; turn <= turns + warmUp; turn++) {
      const [here, there] = [sides[(turn - 1) % 2]!, sides[turn % 2]!];
      const woken = waiting;
      await pause(thinks());
      waiting = turnOf(here, room, turn + 1);
      await ask(here.writer, "PUT", `/rooms/${room}/state`, { key: "turn", value: turn, agent: here.agent });
      note(wakes, performance.now(), await woken, turn > warmUp);
      if (turn === turns + warmUp) {
        await ask(there.writer, "PUT", `/rooms/${room}/state`, { key: "turn", value: turn + 1 });
      }
    }
    await waiting;
  } finally {
    close(sides);
  }
  return wakes;
}

/** One agent writes, `every()` milliseconds after the other heard of the write before, which waits again at once. */
export async function speech(
  urls: readonly string[],
  { room, turns, warmUp, every }: { room: string; turns: number; warmUp: number; every(): number },
): Promise<Wakes> {
  const sides = await sidesOf(urls, room);
  const wakes: Wakes = { delays: [], missed: 0 };
  const [speaker, listener] = sides;
  try {
    await ask(speaker.writer, "PUT", `/rooms/${room}/state`, { key: "turn", value: 0 });
    for (let turn = 1; turn <= turns + warmUp; turn++) {
      const waiting = turnOf(listener, room, turn);
      await pause(every());
      await ask(speaker.writer, "PUT", `/rooms/${room}/state`, {
        key: "turn",
        value: turn,
        agent: speaker.agent,
      });
      note(wakes, performance.now(), await waiting, turn > warmUp);
    }
  } finally {
    close(sides);
  }
  return wakes;
}

function note(wakes: Wakes, written: number, answered: number | undefined, counts: boolean): void {
  if (!counts) return;
  if (answered === undefined) wakes.missed++;
  else wakes.delays.push(Math.max(0, answered - written));
}
