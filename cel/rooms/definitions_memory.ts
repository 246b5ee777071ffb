import { createLru } from "../../db/lru.ts";
import type { Definitions } from "./definitions.ts";

/** The definitions of a room's views since `revision`. `createdAt` tells the room from a later one of the same id. */
export interface Known {
  createdAt: string;
  revision: number;
  definitions: Definitions;
}

/**
 * Creates a cache of definitions that evicts the least recently used. It is bounded by bytes and not by rooms, since
 * one room's views may be as large as those of a thousand others.
 */
export function createMemory(maxBytes: number) {
  const rooms = createLru<Known>(
    maxBytes,
    ({ definitions }, room) => weightOf(definitions) + 2 * room.length,
  );

  return {
    forget: rooms.delete,
    get: rooms.get,
    /** Remembers definitions, unless newer ones of the same room are known. */
    set(room: string, known: Known): void {
      const before = rooms.get(room);
      if (before?.createdAt === known.createdAt && before.revision > known.revision) return;
      rooms.set(room, known);
    },
  };
}

/** Bytes of a definition's objects beside its texts, and of each key, scope or agent that it reads. */
const EACH = { definition: 400, key: 150, name: 80 };

/** The memory that definitions take, in bytes, rather too high than too low. */
function weightOf(definitions: Definitions): number {
  let weight = EACH.definition;
  for (const [name, { source, reads: { state, agents, facts } }] of definitions) {
    weight += EACH.definition + 2 * (name.length + 2 * source.length);
    if (state !== "all") weight += EACH.key * state.keys.length + EACH.name * state.scopes.length;
    if (agents !== "all") weight += EACH.name * agents.length;
    const named = facts.kind.length + facts.to.length + facts.from.length + facts.id.length;
    weight += EACH.name * named;
  }
  return weight;
}
