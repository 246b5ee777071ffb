import { createLru } from "../../db/lru.ts";
import type { Newest } from "../../db/agents/waits.ts";
import { keyFor, type Viewer } from "../../db/viewer.ts";
import type { TimelineWait } from "../../views/panels/timeline/timeline_layout.ts";
import { LIMITS } from "../http/limits.ts";

const ROOMS = 200;
const WAITS_OF_ROOM = 300;
/** Maximum milliseconds between two reads for an open page, which reads at each beat. */
const WATCHED_MS = LIMITS.beatMs + 1_500;

/** A wait from the first to the last read that saw it. */
interface SeenWait extends Required<TimelineWait> {
  token: string;
}

/** The waits that were seen in a room, oldest first, and when it was last read. */
interface SeenRoom {
  at: Date;
  waits: SeenWait[];
}

/** Logs the waits of rooms with open pages: the database has only those in progress. Misses what no page has read. */
export function createWaitLog() {
  const rooms = createLru<SeenRoom>(ROOMS);

  function touch(room: string, now: Date): SeenRoom {
    const seen = rooms.get(room) ?? { at: now, waits: [] };
    rooms.set(room, { at: now, waits: seen.waits });
    return seen;
  }

  return {
    /**
     * Logs the waits in progress, and returns all logged waits, oldest first. A wait that is over ends with the last
     * read that saw it, since its end is unknown. If an agent waits for the same at the next read of an open page, its
     * wait has continued.
     */
    observe(viewer: Viewer, room: string, newest: Newest, now: Date): TimelineWait[] {
      const { at, waits } = touch(keyFor(viewer, room), now);
      const to = now.toISOString();
      const watched = now.getTime() - at.getTime() <= WATCHED_MS;
      const byToken = new Map(waits.map((wait) => [wait.token, wait]));
      const byAgent = new Map(waits.map((wait) => [wait.agent, wait]));
      const open = new Set<SeenWait>();
      for (const { agent_id: agent, token, waiting_on: condition } of newest.values()) {
        const last = byAgent.get(agent);
        const again = watched && last?.condition === condition && last.to === at.toISOString();
        const known = byToken.get(token) ?? (again ? last : undefined);
        const wait = Object.assign(known ?? { agent, from: to, condition }, { token, to });
        if (known === undefined) waits.push(wait);
        open.add(wait);
      }
      forget(waits, open);
      return waits.map(({ token: _, to, ...wait }, n) => open.has(waits[n]!) ? wait : { ...wait, to });
    },
  };
}

/** Drops excess waits: those that are over before others, the oldest first. */
function forget(waits: SeenWait[], open: ReadonlySet<SeenWait>): void {
  const excess = waits.length - WAITS_OF_ROOM;
  if (excess <= 0) return;
  const over = waits.filter((wait) => !open.has(wait)).slice(0, excess);
  const left = new Set(over);
  const rest = waits.filter((wait) => !left.has(wait)).slice(0, WAITS_OF_ROOM);
  waits.splice(0, waits.length, ...rest);
}

export type WaitLog = ReturnType<typeof createWaitLog>;
