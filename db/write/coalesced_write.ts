import type { Coalescer } from "../batching/sender.ts";
import type { Statement } from "../driver/statement.ts";
import { beat } from "./heartbeat.ts";

/** One of several writes of a kind that are admitted as one. `key`: what it writes, to count what is new. */
export interface CoalescedWrite {
  room: string;
  key?: string;
  agent?: string;
  now: string;
  /** Unique; the first one's admits them all. */
  nonce: string;
}

/** What a write was given; undefined where it was not admitted: no such room, or one that cannot take them all. */
export type CoalescedResult = { revision: number; version: number | undefined } | undefined;

/** The SQL of a kind of coalesced write, over `json_each(:writes)`, whose values are what `asRow` makes. */
export interface CoalescedWriteKind<Item extends CoalescedWrite> {
  /** Advances each room by the number of its writes and sets `admitted = :nonce`; returns `room` and `revision`. */
  admission(items: Item[]): Statement;
  /** Inserts all whose room was admitted; returns `room`, `revision` and `version` where there are versions. */
  effect: string;
  /** `later`: how many writes of the same room follow. */
  asRow(item: Item, later: number): unknown[];
}

const UPDATE_HEARTBEATS = `
  ${beat("beats.value ->> 2")} FROM json_each(:beats) AS beats
   WHERE agents.room_id = beats.value ->> 0 AND agents.id = beats.value ->> 1`;

type Heartbeat = [room: string, agent: string, now: string];

/** Coalesces heartbeats of agents, each with its time. */
export const COALESCED_HEARTBEATS: Coalescer<Heartbeat, void> = {
  statements: (beats) => [{ sql: UPDATE_HEARTBEATS, args: { beats: JSON.stringify(beats) } }],
  results: (beats) => beats.map(() => undefined),
};

/**
 * Coalesces writes without preconditions of their own, of any rooms, into a few statements: each room's are admitted by
 * one step of its row, with consecutive revisions, and inserted one after the other. Where a room does not take them
 * all, none of its writes is made: they are to be tried one by one, which tells why.
 */
export function createCoalescedWrites<Item extends CoalescedWrite>(
  kind: CoalescedWriteKind<Item>,
): Coalescer<Item, CoalescedResult> {
  return {
    statements(items) {
      const nonce = items[0]!.nonce;
      const writes = JSON.stringify([...laterOf(items)].map(([item, later]) => kind.asRow(item, later)));
      const single = items.length === 1;
      const statements: Statement[] = [
        { ...kind.admission(items), single },
        { sql: kind.effect, args: { writes, nonce }, single },
      ];
      const beats = items.flatMap(({ room, agent, now }): Heartbeat[] =>
        agent === undefined ? [] : [[room, agent, now]]
      );
      if (beats.length > 0) statements.push(...COALESCED_HEARTBEATS.statements(beats));
      return statements;
    },
    results(items, [admitted, effects]) {
      const revisions = new Map(admitted!.map(({ room, revision }) => [room, Number(revision)]));
      const versions = new Map(
        effects!.map(({ room, revision, version }) => [`${revision} ${room}`, Number(version)]),
      );
      const later = laterOf(items);
      return items.map((item) => {
        const last = revisions.get(item.room);
        if (last === undefined) return undefined;
        const revision = last - later.get(item)!;
        return { revision, version: versions.get(`${revision} ${item.room}`) };
      });
    },
  };
}

/** How many writes a room gets, by room. */
export function countByRoom(items: CoalescedWrite[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { room } of items) counts.set(room, (counts.get(room) ?? 0) + 1);
  return counts;
}

/** The items by room, and how many of the same room follow each. */
function laterOf<Item extends CoalescedWrite>(items: Item[]): Map<Item, number> {
  const rooms = Map.groupBy(items, ({ room }) => room);
  return new Map(
    [...rooms.values()].flatMap((own) => own.map((item, n): [Item, number] => [item, own.length - 1 - n])),
  );
}
