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

export interface TimelineLayout {
  width: number;
  height: number;
  lanes: Array<{ name: string; y: number }>;
  /** How many agents have no lane. */
  hidden: number;
  events: Array<{ event: TimelineEvent; x: number; y: number; to?: number }>;
  waits: Array<{ wait: TimelineWait; x: number; y: number; width: number }>;
  /** Silences that are drawn shorter than they were. */
  gaps: Array<{ x: number; ms: number }>;
  now: number;
}

/** Gives each event and wait its position, like the page's script (timeline.js). Time runs to the right. */
export function layoutOf(view: TimelineView, now: Date): TimelineLayout {
  const time = (at: string) => Math.min(Date.parse(at), now.getTime());
  const start = Math.min(now.getTime(), ...view.events.map(({ at }) => time(at)));
  const seen = view.waits.filter(({ to }) => to === undefined || time(to) >= start);
  const { lanes, hidden } = lanesOf(view, seen);
  const ys = new Map(lanes.map((name, n) => [name, middleOf(n)]));
  const moments = new Set([start, now.getTime(), ...view.events.map(({ at }) => time(at))]);
  for (const wait of seen) {
    moments.add(Math.max(start, time(wait.from)));
    if (wait.to) moments.add(time(wait.to));
  }
  const { xs, gaps, width } = axisOf([...moments].sort((a, b) => a - b), view.events.length === 0);
  const x = (at: string) => xs.get(Math.max(start, time(at)))!;
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
        : [{ event, x: x(event.at), y: from, to: event.to ? y(event.to) : undefined }];
    }),
    waits: seen.flatMap((wait) => {
      const [from, to] = [x(wait.from), wait.to ? x(wait.to) : xs.get(now.getTime())!];
      const lane = y(wait.agent);
      return lane === undefined ? [] : [{ wait, x: from, y: lane, width: Math.max(3, to - from) }];
    }),
    gaps,
    now: xs.get(now.getTime())!,
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
