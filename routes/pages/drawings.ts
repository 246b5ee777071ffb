import type { Changes } from "../../db/snapshots/changes.ts";
import { keyFor, type Viewer } from "../../db/viewer.ts";
import { mapYielding } from "../../db/yield.ts";
import type { Fragment } from "../../views/panels/panel.ts";
import type { Pieces } from "../http/outbox.ts";
import { event } from "../http/stream.ts";

/** A fragment as HTML. */
export interface Drawn extends Omit<Fragment, "draw"> {
  html: string;
}

/** Draws the fragments that changes affect; without changes, those that time affects. */
type Draw = (viewer: Viewer, room: string, changes?: Changes) => Promise<Drawn[]>;

/** Fragments, and the events made from them, each shared by all pages that lack the same fragments. */
interface Drawing {
  fragments: Array<Drawn & { lasting: string }>;
  made: Map<string, Pieces>;
}

/** A room as a viewer sees it. */
interface WatchedRoom {
  viewer: Viewer;
  room: string;
  pages: number;
  /** The HTML of fragments without times. All pages share these strings, to save memory. */
  lasting: Map<string, string>;
  latest?: { at: number; drawing: Promise<Drawing> };
}

/** One open page of a room. */
export interface Page {
  changed(changes: Changes): Promise<Pieces>;
  /** Makes an event of what time alone has changed. `revision`: the page's. */
  beat(revision: number): Promise<Pieces>;
  /** Further calls do nothing. */
  close(): void;
}

/** Milliseconds for which pages share a beat's drawing. */
const SHARED_MS = 1_000;

/** Makes the events of pages. Draws a fragment once for all pages of a viewer and room; sends each page the new ones. */
export function createDrawings(draw: Draw) {
  const rooms = new Map<string, WatchedRoom>();
  const drawn = new WeakMap<Changes, Promise<Drawing>>();

  async function drawing(watched: WatchedRoom, changes?: Changes): Promise<Drawing> {
    const fragments = await mapYielding(await draw(watched.viewer, watched.room, changes), (fragment) => {
      if (fragment.once) {
        watched.lasting.delete(fragment.id);
        return { ...fragment, lasting: "" };
      }
      const lasting = lastingOf(fragment.html);
      const known = watched.lasting.get(fragment.id);
      if (known === lasting) return { ...fragment, lasting: known };
      watched.lasting.set(fragment.id, lasting);
      return { ...fragment, lasting };
    });
    return { fragments, made: new Map() };
  }

  function drawnFor(watched: WatchedRoom, changes: Changes): Promise<Drawing> {
    const known = drawn.get(changes) ?? drawing(watched, changes);
    drawn.set(changes, known);
    return known;
  }

  function drawnNow(watched: WatchedRoom): Promise<Drawing> {
    const now = performance.now();
    if (watched.latest === undefined || now - watched.latest.at > SHARED_MS) {
      watched.latest = { at: now, drawing: drawing(watched) };
    }
    return watched.latest.drawing;
  }

  return {
    open(viewer: Viewer, room: string): Page {
      const key = keyFor(viewer, room);
      const watched = rooms.get(key) ?? { viewer, room, pages: 0, lasting: new Map() };
      rooms.set(key, watched);
      watched.pages++;
      let closed = false;
      const news = createNews();
      return {
        changed: async (changes) => news(await drawnFor(watched, changes), changes.revision),
        beat: async (revision) => news(await drawnNow(watched), revision),
        close() {
          if (closed) return;
          closed = true;
          if (--watched.pages === 0) rooms.delete(key);
        },
      };
    },
  };
}

/** Selects the fragments of a drawing that are new to one page. */
function createNews() {
  const said = new Map<string, string>();
  return function news({ fragments, made }: Drawing, revision: number): Pieces {
    const fresh = fragments.flatMap(({ id, lasting, once }, n) => {
      if (once) {
        said.delete(id);
        return n;
      }
      if (said.get(id) === lasting) return [];
      said.set(id, lasting);
      return n;
    });
    const name = `${revision} ${fresh}`;
    const pieces = made.get(name) ?? event(revision, fresh.map((n) => fragments[n]!.html).join("\n"), "room");
    made.set(name, pieces);
    return pieces;
  };
}

/** Removes times from HTML: the page updates those itself. */
function lastingOf(html: string): string {
  return html.replaceAll(/(<time[^>]*>)[^<]*/g, "$1");
}
