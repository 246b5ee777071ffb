import { HOMES, isHomeOf, isOfAgent, privateRoomsIn, seenBy } from "../access/private.ts";
import { CHANGED, type Source } from "../consistent_read/changed.ts";
import type { Listing } from "../consistent_read/listing.ts";
import type { Condition } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { LIVE, LIVING, livingIn } from "../consistent_read/living.ts";

/** How a list finds some entries of `:room`. */
interface Found {
  /** A condition that is true of all of them. */
  always: string;
  /** How to find the living entries by scope and key. */
  living: Pick<Listing, "live" | "parts" | "homes" | "moved" | "order">;
  /** How to find what changed, entries and tombstones. */
  changed: Pick<Listing, "parts" | "homes" | "moved" | "readBy" | "order">;
}

/** The state of `:room` for a viewer: its open entries, and those of the private scopes that the viewer sees. */
interface Sources {
  open: Found;
  hidden?: Found;
  /** What changed in both. */
  moved: Source[];
  args: Condition["args"];
}

const BY_CHANGE = "state INDEXED BY state_changed";
const ORDER = ["scope", "key"];

const OPEN: Found = {
  always: "room_id = :room",
  living: { live: LIVE, parts: LIVING, order: ORDER },
  changed: { readBy: ["revision", ...ORDER], order: ORDER },
};

function sourcesBeside(seen: string): Omit<Sources, "args"> {
  // Leaves out the tombstones, for all others, of what was in a scope before it was private.
  const before = `scope NOT IN (${seen})`;
  const [open, own] = [`room_id = :room AND ${before}`, `room_id IN (${privateRoomsIn(seen)})`]
    .map((where): Source => ({ from: `${BY_CHANGE} WHERE ${where}`, revision: "revision" })) as [
      Source,
      Source,
    ];
  const home = { from: `${HOMES} CROSS JOIN ${BY_CHANGE} ON state.room_id = home.id`, where: isHomeOf(seen) };
  return {
    open: { ...OPEN, changed: { ...OPEN.changed, parts: [{ where: before }], moved: [open] } },
    hidden: {
      always: "TRUE",
      living: { live: LIVE, parts: livingIn(seen), homes: seen, moved: [own], order: ["room_id", ...ORDER] },
      changed: {
        parts: [home],
        homes: seen,
        moved: [own],
        readBy: ["room_id", "revision", ...ORDER],
        order: ORDER,
      },
    },
    moved: [open, own],
  };
}

const narrowed = ({ sql, args }: Condition, scope: string): Condition => ({
  sql: `SELECT agent_id FROM (${sql}) WHERE agent_id = :scope`,
  args: { ...args, scope },
});

/** By the SQL that selects the private scopes. */
const known = new Map<string, Omit<Sources, "args">>();

/** `scope`: the only one that is asked for; those of others need not be passed. */
export function sourcesOf(viewer: Viewer, scope?: string): Sources {
  const all = scope === undefined || isOfAgent(scope) ? seenBy(viewer) : undefined;
  const seen = all && (scope === undefined ? all : narrowed(all, scope));
  if (seen === undefined) return { open: OPEN, moved: CHANGED.state, args: {} };
  const found = known.get(seen.sql) ?? sourcesBeside(seen.sql);
  known.set(seen.sql, found);
  return { ...found, args: seen.args };
}
