import { shownRoom } from "../../db/access/locked.ts";
import { NOTHING } from "../../cel/rooms/definitions.ts";
import { lookAt } from "../../cel/rooms/look.ts";
import type { Reads } from "../../cel/language/dependencies.ts";
import { selectHeads } from "../../db/snapshots/page_queries.ts";
import { marksOf, newestOf, withMarks } from "../../db/agents/waits.ts";
import { VIEW_SCOPE } from "../../db/state/entry.ts";
import type { Row } from "../../db/driver/statement.ts";
import type { Viewer } from "../../db/viewer.ts";
import type { LiveRoom } from "../../views/panels/panels.ts";
import { agentsOf } from "./agent_view.ts";
import { computeViews } from "./computed_views.ts";
import { type Data, LIVE } from "./panel_data.ts";
import type { Services } from "../services.ts";
import type { WaitLog } from "./wait_log.ts";

const LOOK: Reads = { ...NOTHING, state: { scopes: [VIEW_SCOPE], keys: [] }, messages: true };

/**
 * Loads `LIVE` and `further` data of a room, of one revision. Takes two round trips: the waits of the first decide what
 * the second reads. Errors: `room_not_found`.
 */
export async function loadRoom<Further>(
  services: Services,
  log: WaitLog,
  viewer: Viewer,
  id: string,
  further: Data<Further, LiveRoom>,
): Promise<LiveRoom & Further> {
  const [live, more] = [prepare(LIVE, viewer, id), prepare(further, viewer, id)];
  const queries = [withMarks(selectHeads(viewer, id), "newest"), ...live.queries, ...more.queries];
  const sight = { viewer, room: id, reads: LOOK, extra: queries, shows: true };
  const { result: computed, data } = await lookAt(services.reader, sight, computeViews);
  const { now, revisions: { revision }, counts, extra: [heads, ...rows] } = data.snapshot;
  const newest = newestOf(marksOf(heads!));
  const agents = await agentsOf(services, viewer, id, { heads: heads!, newest }, now);
  const look = { id: shownRoom(id), revision, now, counts, agents };
  const waits = log.observe(viewer, id, newest, now);
  const room = { ...look, ...await live.toView({ look, computed, waits }, rows) };
  return { ...room, ...await more.toView(room, rows) };
}

/** Prepares the queries of all members. `toView` takes their results from the front of `rows`. */
function prepare<View, Known>(data: Data<View, Known>, viewer: Viewer, room: string) {
  const members = Object.keys(data) as Array<keyof View>;
  const queries = members.map((member) => data[member].query?.(room, viewer) ?? []);
  return {
    queries: queries.flat(),
    async toView(known: Known, rows: Row[][]): Promise<View> {
      const view: Partial<View> = {};
      for (const [n, member] of members.entries()) {
        view[member] = await data[member].toView(known, ...rows.splice(0, queries[n]!.length));
      }
      return view as View;
    },
  };
}
