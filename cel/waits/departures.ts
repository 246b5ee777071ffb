import type { Change } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { hasLeft, selectRegistrations, toRegistrations } from "../../db/agents/registration.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal } from "../../db/refusal.ts";
import { revisionOf, ROOM_REVISION } from "../../db/rooms/room.ts";
import { SERVICE } from "../../db/viewer.ts";

/** The registration of an agent when its wait began. */
export interface Registration {
  /** The revision at which the agent registered: another one once it has left and come back. */
  joined: number;
  /** A revision of the room at which it was registered so. */
  seen: number;
}

/** A wait of an agent that was registered when it began. */
interface RegisteredWait extends Registration {
  readonly agent: string;
  /** Ends the wait. */
  settle(left: Refusal): void;
}

/** Ends the waits of agents that leave, whether or not they are marked. */
export type Departures = ReturnType<typeof createDepartures>;

/** The waits of registered agents in one room, and the latest departure that this instance knows of. */
interface RoomWaits {
  room: string;
  waits: Set<RegisteredWait>;
  latest: number;
  busy: boolean;
}

/** Creates the watch of this instance's waits. It reads the registrations of a room only after an agent has left it. */
export function createDepartures(database: Database) {
  const rooms = new Map<string, RoomWaits>();

  async function look({ room, waits }: RoomWaits): Promise<void> {
    const agents = new Set([...waits].map(({ agent }) => agent));
    const [found, rows] = await database.read(SERVICE, [
      { sql: ROOM_REVISION, args: { room } },
      selectRegistrations(room, agents),
    ]);
    const [revision, registrations] = [revisionOf(found!), toRegistrations(rows!)];
    for (const wait of waits) {
      if (!agents.has(wait.agent)) continue;
      if (registrations.get(wait.agent) === wait.joined) wait.seen = revision;
      else wait.settle(hasLeft(wait.agent, revision));
    }
  }

  async function advance(of: RoomWaits) {
    if (of.busy) return;
    of.busy = true;
    try {
      const isBehind = () => [...of.waits].some(({ seen }) => seen < of.latest);
      while (isBehind()) await look(of);
    } catch (error) {
      // The next look at the rooms tries again. The waits of a room that is gone end without this.
      if (!(error instanceof DatabaseUnavailable || error instanceof Refusal)) throw error;
    } finally {
      of.busy = false;
    }
  }

  return {
    /** Watches a wait until the returned function is called. */
    watch(room: string, wait: RegisteredWait): () => void {
      const of = rooms.get(room) ?? { room, waits: new Set(), latest: 0, busy: false };
      rooms.set(room, of);
      of.waits.add(wait);
      return () => {
        of.waits.delete(wait);
        if (of.waits.size === 0 && rooms.get(room) === of) rooms.delete(room);
      };
    },
    /** Hears that agents have left a room. */
    hear({ room, part, revision }: Change): void {
      const of = part === "departures" ? rooms.get(room) : undefined;
      if (!of || of.latest >= revision) return;
      of.latest = revision;
      advance(of);
    },
    /** Checks all of a room's waits again: its revision went back. */
    rewind(room: string): void {
      const of = rooms.get(room);
      if (!of) return;
      of.latest = 0;
      for (const wait of of.waits) wait.seen = 0;
    },
    /** Checks again where a failure prevented it. */
    advance: () => [...rooms.values()].forEach(advance),
  };
}

/** Makes a registration of what was read at a revision; null where the agent was not registered. */
export function registrationAt(seen: number, joined: number | null | undefined): Registration | null {
  return joined == null ? null : { joined, seen };
}
