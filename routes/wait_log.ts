import type { AgentView, TimelineWait } from "../views/model.ts";

const ROOMS = 200;
const WAITS_OF_ROOM = 300;

/**
 * The waits that were seen in rooms that somebody looks at. The database keeps those in progress only; what
 * this instance did not see, it does not know.
 */
export function createWaitLog() {
  const rooms = new Map<string, TimelineWait[]>();

  return {
    /** Notes who waits now, and gives the waits that were seen, oldest first. */
    observe(room: string, agents: AgentView[], now: Date): TimelineWait[] {
      const log = rooms.get(room) ?? [];
      rooms.delete(room);
      rooms.set(room, log);
      if (rooms.size > ROOMS) rooms.delete(rooms.keys().next().value!);
      for (const { id, waiting_on, last_heartbeat } of agents) {
        const last = log.findLast(({ agent }) => agent === id);
        const open = last && last.to === undefined ? last : undefined;
        if (open && open.condition === waiting_on) continue;
        if (open) open.to = now.toISOString();
        // A wait begins with a sign of life.
        if (waiting_on !== null) log.push({ agent: id, from: last_heartbeat, condition: waiting_on });
      }
      if (log.length > WAITS_OF_ROOM) log.splice(0, log.length - WAITS_OF_ROOM);
      return log.map((wait) => ({ ...wait }));
    },
  };
}

export type WaitLog = ReturnType<typeof createWaitLog>;
