import { raw } from "hono/html";
import { hue } from "../../shared/addresses.ts";
import type { Panel, RoomLook } from "../panel.ts";
import style from "./timeline.css" with { type: "text" };
import timeline from "./timeline.js" with { type: "text" };
import { arrowTo, frameOf, LANE } from "./axis.js";
import axis from "./axis.js" with { type: "text" };
import {
  EVENTS_SHOWN,
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
  scripts: { axis, timeline },
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
          {await each([timeline], (view) => <Figure view={view} layout={layoutOf(view, now)} />)}
        </div>
      </section>
    );
  },
  fragments({ timeline: view, now }) {
    const layout = layoutOf(view, now);
    const { lanes, waits, events } = layout;
    const draw = () => <Figure view={view} layout={layout} />;
    if (lanes.length === 0) return [{ id: "timeline-figure", draw }];
    return [{
      id: "timeline-figure",
      draw,
      parts: [
        { id: "timeline-lanes", draw: () => <LaneNames layout={layout} /> },
        { id: "timeline-summary", draw: () => <Summary view={view} /> },
        ...waits.map(({ wait }) => ({
          id: waitId(wait),
          draw: () => <Wait wait={wait} />,
          mark: titleOf(wait),
        })),
        ...events.map(({ event }) => ({
          id: event.id,
          draw: () => <Event event={event} />,
          mark: markOf(event),
        })),
      ],
    }];
  },
};

/** The whole picture. The page's script places what comes later, and moves what was there. */
function Figure({ view, layout }: { view: TimelineView; layout: TimelineLayout }) {
  if (layout.lanes.length === 0) return <p id="timeline-figure" class="figure quiet">Nothing to show yet.</p>;
  const { width, height, waits, events } = layout;
  return (
    <div id="timeline-figure" class="figure">
      <LaneNames layout={layout} />
      <Summary view={view} />
      <svg
        id="timeline-picture"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-labelledby="timeline-summary"
      >
        <g id="timeline-frame">{raw(frameOf(layout.lanes.map(({ y }) => y), layout))}</g>
        <g id="timeline-waits">{waits.map((wait) => <Wait {...wait} />)}</g>
        <g id="timeline-events">{events.map((event) => <Event {...event} />)}</g>
      </svg>
    </div>
  );
}

function LaneNames({ layout: { lanes, hidden } }: { layout: TimelineLayout }) {
  return (
    <ul id="timeline-lanes" class="lanes" aria-hidden="true">
      {lanes.map(({ name }) => (
        <li class={name === SOMEBODY ? "hue-none" : hue(name)} data-lane={name}>
          <span class="dot" />
          {name}
        </li>
      ))}
      {hidden > 0 && <li class="quiet">{hidden} more {hidden === 1 ? "agent" : "agents"}</li>}
    </ul>
  );
}

function Summary({ view }: { view: TimelineView }) {
  return <p id="timeline-summary" class="visually-hidden">{summary(view)}</p>;
}

const waitId = ({ agent, from }: TimelineWait) => `wait/${encodeURIComponent(agent)}/${Date.parse(from)}`;

/** A wait as a bar. Without a position, the page's script sets it. */
function Wait({ wait, x, y, width }: { wait: TimelineWait; x?: number; y?: number; width?: number }) {
  const { agent, from, to } = wait;
  return (
    <svg
      id={waitId(wait)}
      data-into="timeline-waits"
      data-lane={agent}
      data-from={String(Date.parse(from))}
      data-to={to && String(Date.parse(to))}
      x={x}
      y={y}
      overflow="visible"
    >
      <rect class={`wait ${hue(agent)}${to ? "" : " is-open"}`} y={-5} width={width} height={10} rx={3}>
        <title>{titleOf(wait)}</title>
      </rect>
    </svg>
  );
}

/** An event, likewise. */
function Event({ event, x, y, to }: { event: TimelineEvent; x?: number; y?: number; to?: number }) {
  const { id, kind, from, at, href, label } = event;
  const below = y === undefined || to === undefined ? undefined : to - y;
  return (
    <svg
      id={id}
      data-into="timeline-events"
      data-lane={from ?? SOMEBODY}
      data-to={event.to ?? undefined}
      data-from={String(Date.parse(at))}
      x={x}
      y={y}
      overflow="visible"
    >
      <a href={href} tabindex={-1} class={from === null ? "hue-none" : hue(from)}>
        <title>{`${label} (${at})`}</title>
        <rect class="target" x={-6} y={-LANE / 2} width={12} height={LANE} />
        {kind === "write" && <path class="tick" d="M0 -7V7" />}
        {kind === "claim" && <path class="event" d="M0 -5l5 5-5 5-5-5Z" />}
        {kind === "message" && <circle class="event" r={event.to ? 3.5 : 4.5} />}
        {kind === "message" && event.to && <path class="arrow" d={below ? arrowTo(below) : undefined} />}
      </a>
    </svg>
  );
}

/** Says all that an event's element shows. */
const markOf = ({ label, at, to, from }: TimelineEvent) => JSON.stringify([label, at, to, from]);

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
