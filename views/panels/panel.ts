import type { Markup } from "../shared/layout.tsx";
import type { AgentView } from "./agents/model.ts";

/** What every panel is told of the room. */
export interface RoomLook {
  id: string;
  revision: number;
  now: Date;
  counts: { count: number; unclaimed: number };
  agents: AgentView[];
}

/** Draws what there may be much of, item by item, and lets other requests run in between. */
export type DrawEach = <Item>(items: Item[], draw: (item: Item) => Markup) => Promise<Markup[]>;

/**
 * A piece of the page, which replaces the element with its id. `once`: send it even if it says what it said before.
 * `mark`: with the same one it would be drawn the same, and is not drawn again. `parts`: a page that has the whole gets those of them that are new, and is told which are there no more.
 */
export interface Fragment {
  id: string;
  draw: () => Markup;
  once?: boolean;
  mark?: string;
  parts?: Array<Pick<Fragment, "id" | "draw" | "mark">>;
}

/** The places of a wide page; panels of one place stand below each other. `views/room/room.css` arranges them. */
export const PLACES = ["left", "middle", "right", "below", "corner"] as const;

/** A part of a room's page. `Shown`: what it shows at first; `Changed`: what it is told of a change. */
export interface Panel<Shown, Changed = unknown> {
  /** The id of its section. */
  id: string;
  /** Its name in the navigation. */
  name: string;
  place: typeof PLACES[number];
  section(room: Shown, each: DrawEach): Markup | Promise<Markup>;
  /** What of it may have changed, drawn as its section draws it. */
  fragments?(update: Changed): Fragment[];
  style: string;
  /** By the names under which they are served. Each runs when the page is loaded. */
  scripts?: Record<string, string>;
}
