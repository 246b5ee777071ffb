import { axisOf, heightOf, middleOf } from "./axis.js";

/** What happened, by lane and time. */
export interface TimelineView {
  lanes: string[];
  events: TimelineEvent[];
  waits: TimelineWait[];
}

export interface TimelineEvent {
  /** The id of its element. An event that replaces another one has the same. */
  id: string;
  kind: "message" | "write" | "claim";
  at: string;
  revision: number;
  /** The lane, or null where nobody is named; a message's receiver. */
  from: string | null;
  to?: string | null;
  label: string;
  href: string;
}

/** A wait, from the first to the last look at the room that found it. */
export interface TimelineWait {
  agent: string;
  from: string;
  /** Undefined: still waiting. */
  to?: string;
  condition: string;
}

/** The lane of events without a name. */
export const SOMEBODY = "somebody";

/** Limits the picture to the newest events. */
export const EVENTS_SHOWN = 120;

const MAX_LANES = 40;

export type TimelineLayout = ReturnType<typeof layoutOf>;

/**
 * Gives each event and wait its position, like the page's script (timeline.js). Time runs to the right. `hidden`: how
 * many agents have no lane; `gaps`: silences that are drawn shorter than they were.
 */
export function layoutOf(view: TimelineView, now: Date) {
  const time = (at?: string) => Math.min(at === undefined ? Infinity : Date.parse(at), now.getTime());
  const spans = view.waits.map(({ from, to }) => ({ from: time(from), to: time(to) }));
  const { start, x, gaps, width } = axisOf(now.getTime(), view.events.map(({ at }) => time(at)), spans);
  const seen = view.waits.filter(({ to }) => time(to) >= start);
  const { lanes, hidden } = lanesOf(view, seen);
  const ys = new Map(lanes.map((name, n) => [name, middleOf(n)]));
  const y = (name: string | null | undefined) => ys.get(name ?? SOMEBODY);
  return {
    width,
    height: heightOf(lanes.length),
    lanes: lanes.map((name) => ({ name, y: ys.get(name)! })),
    hidden,
    events: view.events.flatMap((event) => {
      const from = y(event.from);
      return from === undefined
        ? []
        : [{ event, x: x(time(event.at)), y: from, to: event.to ? y(event.to) : undefined }];
    }),
    waits: seen.flatMap((wait) => {
      const [from, to] = [x(time(wait.from)), x(time(wait.to))];
      const lane = y(wait.agent);
      return lane === undefined ? [] : [{ wait, x: from, y: lane, width: Math.max(3, to - from) }];
    }),
    gaps,
    now: x(now.getTime()),
  };
}

/** The agents in their order, then others who are named, then whoever is not; of many those who did something. */
function lanesOf({ lanes, events, waits }: TimelineView, seen: TimelineWait[]) {
  const named = events.flatMap(({ from, to }) => [from ?? SOMEBODY, ...(to ? [to] : [])]);
  const active = new Set([...named, ...seen.map(({ agent }) => agent), ...waits.map(({ agent }) => agent)]);
  const idle = lanes.filter((lane) => !active.has(lane));
  const shown = lanes.length <= MAX_LANES / 2 ? lanes : lanes.filter((lane) => !idle.includes(lane));
  const others = [...active].filter((name) => !lanes.includes(name) && name !== SOMEBODY);
  const all = [...shown, ...others, ...(active.has(SOMEBODY) ? [SOMEBODY] : [])].slice(0, MAX_LANES);
  const agents = new Set([...lanes, ...others]);
  return { lanes: all, hidden: agents.difference(new Set(all)).size };
}
