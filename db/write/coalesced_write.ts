import { type Actor, type Judging, judgingOf } from "../access/actors.ts";
import type { Coalescer } from "../batching/groups.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { beat, BEAT_OPEN } from "./heartbeat.ts";

/** One of several writes of a kind that one statement admits. */
export interface CoalescedWrite {
  room: string;
  /** The agent that gets a heartbeat. */
  agent?: string;
  /** ISO 8601. */
  now: string;
  by: Actor;
  /** Unique. All writes of a batch are admitted under the nonce of its first. */
  nonce: string;
}

/**
 * The result of a write; undefined where its room does not exist, or cannot take all writes of the batch. `registered`:
 * whether its agent is, if the kind tells.
 */
type CoalescedResult =
  | { revision: number; version: number | undefined; beside?: Row; registered?: boolean }
  | undefined;

/** The SQL of a kind of coalesced write. `:writes` is JSON of the rows of `asRow`. */
interface CoalescedWriteKind<Item extends CoalescedWrite> {
  /**
   * Makes the statement that advances each room by the number of its writes, sets `admitted = :nonce`, and returns
   * `room` and `revision`. It admits a room that is open to all, or in which all its writers may act.
   */
  admission(items: Item[], judging: Judging): Statement;
  /**
   * The statement that inserts the writes of admitted rooms. It returns `room`, `revision` and `version`, or nothing
   * where there are no versions. Judged writes may be verified.
   */
  effects: Record<Judging, string>;
  /**
   * Makes shorter statements with the same results, for writes of one room that are not judged each; undefined where
   * there are none.
   */
  inOneRoom?(
    items: Item[],
    later: Map<Item, number>,
    judging: Exclude<Judging, "each">,
  ): [admission: Statement, effect: Statement] | undefined;
  /** Makes a row of `:writes`. `later`: how many writes of the same room follow. */
  asRow(item: Item, later: number): unknown[];
  /** Makes a statement that counts the writes of admitted rooms. `later`: as of `asRow`. */
  count?(items: Item[], later: Map<Item, number>): Statement;
  /** Whether the results tell which agents are registered. */
  tellsAgents?: true;
  /**
   * Makes a query of one row for some items, whose `n` is the item's index. The row comes as `beside` in the result.
   */
  beside?(items: Item[]): Statement | undefined;
}

type Heartbeat = [room: string, agent: string, now: string];

/** Makes the statements that record heartbeats of a batch, at the time of its last. */
const heartbeatsWhere = (may: { inOneRoom: string; ofEachRoom: string }) => ({
  // Takes a server four fifths of the time of the other, which is prepared anew each time.
  inOneRoom: `${beat(":now")}
   WHERE room_id = :room AND id IN (SELECT value FROM json_each(:beats)) AND ${may.inOneRoom}`,
  ofEachRoom: `${beat(":now")} FROM json_each(:beats) AS beats
   WHERE agents.room_id = beats.value ->> 0 AND agents.id = beats.value ->> 1 AND ${may.ofEachRoom}`,
});

// Without a token nobody acts as a secure agent.
const HEARTBEATS = heartbeatsWhere({ inOneRoom: "NOT secure", ofEachRoom: "NOT agents.secure" });

// An admitted writer may act as the agent. A join in place of the subquery takes a server three times as long to
// prepare.
const JUDGED_HEARTBEATS = heartbeatsWhere({
  inOneRoom: "(SELECT admitted FROM rooms WHERE id = :room) = :nonce",
  ofEachRoom: "(SELECT admitted FROM rooms WHERE rooms.id = agents.room_id) = :nonce",
});

function heartbeatsBy(sql: typeof HEARTBEATS, beats: Heartbeat[], args: Statement["args"] = {}): Statement {
  const [[room]] = beats as [Heartbeat];
  const now = beats.reduce((last, [, , now]) => now > last ? now : last, "");
  if (beats.some(([other]) => other !== room)) {
    const named = beats.map(([room, agent]) => [room, agent]);
    return { sql: sql.ofEachRoom, args: { ...args, beats: JSON.stringify(named), now } };
  }
  const agents = beats.map(([, agent]) => agent);
  return { sql: sql.inOneRoom, args: { ...args, room, beats: JSON.stringify(agents), now } };
}

/** Coalesces heartbeats that come without a write and without a token. */
export const COALESCED_HEARTBEATS: Coalescer<Heartbeat, void> = {
  statements(beats) {
    const [[room, agent, now]] = beats as [Heartbeat];
    if (beats.length === 1) return [{ sql: BEAT_OPEN, args: { room, agent, now } }];
    return [heartbeatsBy(HEARTBEATS, beats)];
  },
  results: (beats) => beats.map(() => undefined),
};

/**
 * Coalesces writes without preconditions, of any rooms, into a few statements. One UPDATE admits all writes of a room,
 * with consecutive revisions. A room that cannot take them all takes none: the callers then write one by one, which
 * tells why.
 */
export function createCoalescedWrites<Item extends CoalescedWrite>(
  kind: CoalescedWriteKind<Item>,
): Coalescer<Item, CoalescedResult> {
  function coalesced(items: Item[], judging: Judging, later: Map<Item, number>): Statement[] {
    const writes = JSON.stringify([...later].map(([item, later]) => kind.asRow(item, later)));
    const args = { writes, nonce: items[0]!.nonce };
    return [kind.admission(items, judging), { sql: kind.effects[judging], args }];
  }

  return {
    judges: true,
    statements(items) {
      const single = items.length === 1;
      const judging = judgingOf(items.map(({ by }) => by));
      const later = laterOf(items);
      const short = judging !== "each" && areOfOneRoom(items)
        ? kind.inOneRoom?.(items, later, judging)
        : undefined;
      const own = short ?? coalesced(items, judging, later);
      const statements = own.map((statement): Statement => ({ ...statement, single }));
      if (kind.count) statements.push(kind.count(items, later));
      const beats = heartbeats(items, judging);
      statements.push(...kind.tellsAgents ? beats.map(tellingAgents) : beats);
      const beside = kind.beside?.(items);
      return beside ? [...statements, beside] : statements;
    },
    results(items, [admitted, effects, ...further]) {
      const revisions = new Map(admitted!.map(({ room, revision }) => [room, Number(revision)]));
      const versions = new Map(
        effects!.map(({ room, revision, version }) => [`${revision} ${room}`, Number(version)]),
      );
      const later = laterOf(items);
      const beside = new Map(
        kind.beside?.(items) ? further.at(-1)!.map((row) => [Number(row.n), row]) : [],
      );
      const agents = kind.tellsAgents && agentsOf(further[kind.count ? 1 : 0]);
      return items.map((item, n) => {
        const last = revisions.get(item.room);
        if (last === undefined) return undefined;
        const revision = last - later.get(item)!;
        const registered = agents && item.agent !== undefined
          ? agents.has(agentIn(item.room, item.agent))
          : undefined;
        return {
          revision,
          version: versions.get(`${revision} ${item.room}`),
          beside: beside.get(n),
          registered,
        };
      });
    },
  };
}

const areOfOneRoom = ([first, ...others]: CoalescedWrite[]) =>
  others.every(({ room }) => room === first!.room);

function heartbeats(items: CoalescedWrite[], judging: Judging): Statement[] {
  const beats = items.flatMap(({ room, agent, now }): Heartbeat[] =>
    agent === undefined ? [] : [[room, agent, now]]
  );
  if (beats.length === 0) return [];
  if (judging === "open") return COALESCED_HEARTBEATS.statements(beats);
  const { nonce } = items[0]!;
  return [heartbeatsBy(JUDGED_HEARTBEATS, beats, { nonce })];
}

/** Makes heartbeats return their agents. */
const tellingAgents = ({ sql, args }: Statement): Statement => ({
  sql: `${sql} RETURNING room_id, id`,
  args,
});

/** The agents of the rows of such heartbeats, each with its room. */
function agentsOf(rows: Row[] = []): Set<string> {
  return new Set(rows.map(({ room_id, id }) => agentIn(room_id as string, id as string)));
}

const agentIn = (room: string, agent: string) => `${room}\0${agent}`; // neither has a control character

/** Groups items by room, each with how many of the same room follow. */
function laterOf<Item extends CoalescedWrite>(items: Item[]): Map<Item, number> {
  const rooms = Map.groupBy(items, ({ room }) => room);
  return new Map(
    [...rooms.values()].flatMap((own) => own.map((item, n): [Item, number] => [item, own.length - 1 - n])),
  );
}
