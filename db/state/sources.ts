import { privateRoomsIn, seenBy } from "../access/private.ts";
import type { Source } from "../consistent_read/changed.ts";
import type { Listing } from "../consistent_read/listing.ts";
import type { Condition } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { LIVE, LIVING, livingIn } from "../consistent_read/living.ts";

/** The state of `:room` for a viewer: its open entries, and those of the private scopes that the viewer sees. */
interface Sources {
  /** A condition that is true of all of them. */
  always: string;
  /** How to find the living entries by scope and key. */
  living: Pick<Listing, "live" | "parts">;
  /** How to find what changed, entries and tombstones. */
  changed: Pick<Listing, "parts" | "moved">;
  args: Condition["args"];
}

type Found = Omit<Sources, "args">;

const BY_CHANGE = "state INDEXED BY state_changed WHERE";

const OPEN: Found = { always: "room_id = :room", living: { live: LIVE, parts: LIVING }, changed: {} };

/** Leaves out the tombstones, for all others, of what was in a scope before it was private. */
function foundWith(seen: string): Found {
  const rooms = privateRoomsIn(seen);
  const own = `room_id IN (${rooms})`;
  const changed = [`room_id = :room AND scope NOT IN (${seen})`, own];
  const moved: Source[] = changed.map((where) => ({ from: `${BY_CHANGE} ${where}`, revision: "revision" }));
  return {
    always: "TRUE",
    living: {
      live: LIVE,
      parts: [...LIVING.map(({ from }) => ({ from, where: "room_id = :room" })), ...livingIn(rooms)],
    },
    changed: { parts: changed.map((where) => ({ where })), moved },
  };
}

/** By the SQL that selects the private scopes. */
const known = new Map<string, Found>();

export function sourcesOf(viewer: Viewer): Sources {
  const seen = seenBy(viewer);
  if (seen === undefined) return { ...OPEN, args: {} };
  const found = known.get(seen.sql) ?? foundWith(seen.sql);
  known.set(seen.sql, found);
  return { ...found, args: seen.args };
}
