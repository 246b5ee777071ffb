import type { Markup } from "../shared/layout.tsx";
import type { AgentView } from "./agents/model.ts";

/** What every panel gets of the room. */
export interface RoomLook {
  id: string;
  revision: number;
  now: Date;
  counts: { count: number; unclaimed: number };
  agents: AgentView[];
}

/** Who holds the token under which a page is shown, and which agent it is bound to. */
export interface Holder {
  role: "admin" | "member" | "reader";
  agent: string | null;
}

/** How a room is open to whoever reads its page. */
export interface Access {
  locked: boolean;
  /** Undefined without a token. */
  you?: Holder;
}

/** Draws a list that may be long, and yields to other requests between its items. */
export type DrawEach = <Item>(items: Item[], draw: (item: Item) => Markup) => Promise<Markup[]>;

/**
 * A piece of the page, which replaces the element with its id. `once`: send it even if it is the same as before.
 * `mark`: a key of its content; while it is the same, the fragment is not drawn again. `parts`: a page that has the
 * whole gets only the parts that are new to it, and the ids of those that are gone.
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

/** A part of a room's page. `Shown`: what it shows at first; `Changed`: what it gets of a change. */
export interface Panel<Shown, Changed = unknown> {
  /** The id of its section. */
  id: string;
  /** Its name in the navigation. */
  name: string;
  place: typeof PLACES[number];
  section(room: Shown, each: DrawEach): Markup | Promise<Markup>;
  /** The pieces that a change may affect, drawn as its section draws them. */
  fragments?(update: Changed): Fragment[];
  style: string;
  /** By the names under which they are served. Each runs when the page loads. */
  scripts?: Record<string, string>;
}
