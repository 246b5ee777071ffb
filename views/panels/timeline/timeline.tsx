import { hue } from "../../shared/addresses.ts";
import { ago } from "../../shared/times.tsx";
import type { Panel, RoomLook } from "../panel.ts";
import style from "./timeline.css" with { type: "text" };
import timeline from "./timeline.js" with { type: "text" };
import {
  EVENTS_SHOWN,
  LANE,
  layoutOf,
  SOMEBODY,
  type TimelineEvent,
  type TimelineLayout,
  type TimelineView,
  type TimelineWait,
} from "./timeline_layout.ts";

export interface TimelineShown {
  timeline: TimelineView;
}

export const TIMELINE: Panel<RoomLook & TimelineShown, RoomLook & TimelineShown> = {
  id: "timeline",
  name: "Timeline",
  place: "below",
  style,
  scripts: { timeline },
  async section({ timeline, now }, each) {
    return (
      <section id="timeline" aria-labelledby="timeline-title">
        <div class="bar">
          <h2 id="timeline-title">Timeline</h2>
          <p class="legend quiet">
            <span>
              <svg width="12" height="12" aria-hidden="true">
                <circle cx="6" cy="6" r="4" class="event" />
              </svg>
              message
            </span>
            <span>
              <svg width="12" height="12" aria-hidden="true">
                <path d="M6 1v10" class="tick" />
              </svg>
              latest change to a key
            </span>
            <span>
              <svg width="12" height="12" aria-hidden="true">
                <path d="M6 1 11 6 6 11 1 6Z" class="event" />
              </svg>
              claim
            </span>
            <span>
              <svg width="20" height="12" aria-hidden="true">
                <rect x="0" y="3" width="20" height="6" rx="3" class="wait" />
              </svg>
              wait
            </span>
            <span title="Past waits are not stored. A bar goes from the first to the last read of this room that saw the wait.">
              The newest {EVENTS_SHOWN} events, and waits as far as they were seen
            </span>
          </p>
        </div>
        <div
          class="scroller"
          id="timeline-scroller"
          tabindex={0}
          role="region"
          aria-label="Timeline, drag or scroll to look back"
        >
          {await each([timeline], (view) => <Figure view={view} now={now} />)}
        </div>
      </section>
    );
  },
  fragments: ({ timeline, now }) => [
    { id: "timeline-figure", draw: () => <Figure view={timeline} now={now} /> },
  ],
};

/** The picture alone, which moves with any change. */
function Figure({ view, now }: { view: TimelineView; now: Date }) {
  const layout = layoutOf(view, now);
  if (layout.lanes.length === 0) return <p id="timeline-figure" class="figure quiet">Nothing to show yet.</p>;
  return (
    <div id="timeline-figure" class="figure">
      <ul class="lanes" aria-hidden="true">
        {layout.lanes.map(({ name }) => (
          <li class={name === SOMEBODY ? "hue-none" : hue(name)}>
            <span class="dot" />
            {name}
          </li>
        ))}
        {layout.hidden > 0 && <li class="quiet">{layout.hidden} more agents</li>}
      </ul>
      <svg
        width={layout.width}
        height={layout.height}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        role="group"
        aria-label={summary(view)}
      >
        <Lanes {...layout} />
        {layout.waits.map(({ wait, x, y, width }) => (
          <rect
            class={`wait ${hue(wait.agent)}${wait.to ? "" : " is-open"}`}
            x={x}
            y={y - 5}
            width={width}
            height={10}
            rx={3}
          >
            <title>{titleOf(wait)}</title>
          </rect>
        ))}
        {layout.events.map((event) => <Event {...event} />)}
      </svg>
    </div>
  );
}

function Lanes({ lanes, width, height, gaps, now }: TimelineLayout) {
  return (
    <>
      {lanes.map(({ y }) => <path class="lane" d={`M0 ${y}H${width}`} />)}
      {gaps.map(({ x, ms }) => (
        <text class="gap" x={x} y={14} text-anchor="middle">
          {ago(new Date(0).toISOString(), new Date(ms))} gap
        </text>
      ))}
      <path class="now" d={`M${now} 20V${height}`} />
      <text class="gap" x={now} y={14} text-anchor="middle">now</text>
    </>
  );
}

function Event({ event, x, y, to }: { event: TimelineEvent; x: number; y: number; to?: number }) {
  const name = event.from === null ? "hue-none" : hue(event.from);
  return (
    <a href={event.href} tabindex={-1} class={name}>
      <title>{`${event.label} (${event.at})`}</title>
      <rect class="target" x={x - 6} y={y - LANE / 2} width={12} height={LANE} />
      {event.kind === "write" && <path class="tick" d={`M${x} ${y - 7}V${y + 7}`} />}
      {event.kind === "claim" && <path class="event" d={`M${x} ${y - 5}l5 5-5 5-5-5Z`} />}
      {event.kind === "message" && <circle class="event" cx={x} cy={y} r={event.to ? 3.5 : 4.5} />}
      {event.kind === "message" && to !== undefined && to !== y && <Arrow x={x} from={y} to={to} />}
    </a>
  );
}

function Arrow({ x, from, to }: { x: number; from: number; to: number }) {
  const back = to > from ? -6 : 6;
  return <path class="arrow" d={`M${x} ${from}V${to}m-3 ${back} 3 ${-back} 3 ${back}`} />;
}

function titleOf({ agent, from, to, condition }: TimelineWait): string {
  return to === undefined
    ? `${agent} waits for ${condition} (seen since ${from})`
    : `${agent} waited for ${condition} (seen from ${from} to ${to})`;
}

function summary({ lanes, events, waits }: TimelineView): string {
  const of = (kind: string) => events.filter((event) => event.kind === kind).length;
  const open = waits.filter(({ to }) => to === undefined).length;
  return `${of("message")} messages, ${of("write")} writes, ${
    of("claim")
  } claims of ${lanes.length} agents; ${open} wait now`;
}
