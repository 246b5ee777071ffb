import assert from "node:assert/strict";
import {
  layoutOf,
  SOMEBODY,
  type TimelineEvent,
  type TimelineView,
} from "../../views/panels/timeline/timeline_layout.ts";

const now = new Date("2026-11-22T12:00:00.000Z");
const at = (secondsAgo: number) => new Date(now.getTime() - secondsAgo * 1_000).toISOString();

const event = (secondsAgo: number, from: string | null, to?: string): TimelineEvent => ({
  id: `event/m${secondsAgo}`,
  kind: "message",
  at: at(secondsAgo),
  revision: 1,
  from,
  to,
  label: "",
  href: "#m1",
});

const view = (events: TimelineEvent[], more: Partial<TimelineView> = {}): TimelineView => ({
  lanes: ["ann", "bob"],
  events,
  waits: [],
  ...more,
});

Deno.test("time runs to the right, and no two moments hide each other", () => {
  const { events, now: end, width } = layoutOf(
    view([event(3, "ann"), event(2.999, "bob"), event(1, "ann")]),
    now,
  );
  const xs = [...events.map(({ x }) => x), end];
  for (let n = 1; n < xs.length; n++) assert.ok(xs[n]! - xs[n - 1]! >= 12, String(xs));
  assert.ok(width > end);
});

Deno.test("long silence is drawn short, and says how long it was", () => {
  const { gaps, width } = layoutOf(view([event(7_200, "ann"), event(3_600, "ann"), event(1, "bob")]), now);
  assert.deepEqual(gaps.map(({ ms }) => Math.round(ms / 1_000)), [3_600, 3_599]);
  assert.ok(width < 300);
});

Deno.test("an arrow goes to the lane of the receiver; who is not registered has a lane, too", () => {
  const { lanes, events } = layoutOf(view([event(3, null, "zoe"), event(2, "ann", "bob")]), now);
  assert.deepEqual(lanes.map(({ name }) => name), ["ann", "bob", "zoe", SOMEBODY]);
  const y = new Map(lanes.map((lane) => [lane.name, lane.y]));
  assert.deepEqual(events.map(({ y, to }) => [y, to]), [[y.get(SOMEBODY), y.get("zoe")], [
    y.get("ann"),
    y.get("bob"),
  ]]);
});

Deno.test("a wait in progress reaches to now, and one that began before the picture begins with it", () => {
  const waits = [{ agent: "bob", from: at(500), condition: "x" }, {
    agent: "ann",
    from: at(5),
    to: at(2),
    condition: "y",
  }];
  const layout = layoutOf(view([event(10, "ann")], { waits }), now);
  const [open, over] = layout.waits;
  assert.deepEqual([open!.x, open!.x + open!.width], [layout.events[0]!.x, layout.now]);
  assert.ok(over!.x > open!.x && over!.x + over!.width < layout.now);
});

Deno.test("many lanes are those of who did something, and it is known how many have none", () => {
  const lanes = Array.from({ length: 100 }, (_, n) => `agent-${n}`);
  const layout = layoutOf(view([event(1, "agent-70", "agent-3")], { lanes }), now);
  assert.deepEqual(layout.lanes.map(({ name }) => name), ["agent-3", "agent-70"]);
  assert.equal(layout.hidden, 98);
  const busy = lanes.map((lane) => event(1, lane));
  const crowd = layoutOf(view([...busy, event(1, null), event(1, "zoe")], { lanes }), now);
  assert.deepEqual([crowd.lanes.length, crowd.hidden], [40, 61]);
});

Deno.test("an empty room has an empty picture", () => {
  assert.deepEqual(layoutOf({ lanes: [], events: [], waits: [] }, now).lanes, []);
});
