import type { Changes } from "../../db/snapshots/changes.ts";
import { keyFor, type Viewer } from "../../db/viewer.ts";
import { mapYielding } from "../../db/yield.ts";
import { Gone } from "../../views/panels/gone.tsx";
import type { Fragment } from "../../views/panels/panel.ts";
import { textOf } from "../http/large_bodies.ts";
import type { Pieces } from "../http/outbox.ts";
import { event } from "../http/stream.ts";

/** Makes the fragments that changes affect; without changes, those that time affects. */
type Load = (viewer: Viewer, room: string, changes?: Changes) => Promise<Fragment[]>;

/** What is drawn in parts: as a whole for pages that have none of it, and the ids of its parts. */
interface Whole {
  draw: Fragment["draw"];
  ids: ReadonlySet<string>;
}

/** A fragment as HTML; `lasting`: without times. */
interface Drawn {
  html: string;
  lasting: string;
  mark?: string;
}

/** `of`: the id of the whole of which it is a part. */
interface Part extends Omit<Fragment, "parts"> {
  of?: string;
}

/** Fragments, and the events made from them, each shared by all pages that lack the same fragments. */
interface Drawing {
  fragments: Array<Pick<Part, "id" | "once" | "of"> & Drawn>;
  wholes: Map<string, Whole>;
  made: Map<string, Pieces>;
}

/** A room as a viewer sees it. */
interface WatchedRoom {
  viewer: Viewer;
  room: string;
  pages: number;
  /** Fragments by id. All pages share the strings without times, to save memory. */
  drawn: Map<string, Drawn>;
  wholes: Map<string, Whole>;
  latest?: { at: number; drawing: Promise<Drawing> };
}

/** Milliseconds for which pages share a beat's drawing. */
const SHARED_MS = 1_000;

/** Makes the events of pages. Draws a fragment once for all pages of a viewer and room; sends each page the new ones. */
export function createDrawings(load: Load) {
  const rooms = new Map<string, WatchedRoom>();
  const drawn = new WeakMap<Changes, Promise<Drawing>>();

  async function drawing(watched: WatchedRoom, changes?: Changes): Promise<Drawing> {
    const fragments = await load(watched.viewer, watched.room, changes);
    const wholes = wholesOf(fragments);
    for (const id of partsGone(watched.wholes, wholes)) watched.drawn.delete(id);
    watched.wholes = wholes;
    const parts = fragments.flatMap(({ parts, ...whole }): Part[] =>
      parts?.map((part) => ({ ...part, of: whole.id })) ?? [whole]
    );
    const drawn = await mapYielding(parts, (part) => {
      const { id, once, of } = part;
      return { id, once, of, ...drawnOnce(watched.drawn, part) };
    });
    return { fragments: drawn, wholes, made: new Map() };
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
    open(viewer: Viewer, room: string) {
      const key = keyFor(viewer, room);
      const watched = rooms.get(key) ?? { viewer, room, pages: 0, drawn: new Map(), wholes: new Map() };
      rooms.set(key, watched);
      watched.pages++;
      let closed = false;
      const news = createNews();
      return {
        changed: async (changes: Changes): Promise<Pieces> =>
          news(await drawnFor(watched, changes), changes.revision),
        /** Makes an event of what time alone has changed. `revision`: the page's. */
        beat: async (revision: number): Promise<Pieces> => news(await drawnNow(watched), revision),
        /** Further calls do nothing. */
        close() {
          if (closed) return;
          closed = true;
          if (--watched.pages === 0) rooms.delete(key);
        },
      };
    },
  };
}

/** Draws a part, unless it is marked as what is drawn already. */
function drawnOnce(known: WatchedRoom["drawn"], { id, draw, once, mark }: Part): Drawn {
  if (once) {
    known.delete(id);
    return { html: textOf(draw()), lasting: "" };
  }
  const before = known.get(id);
  if (before && mark !== undefined && before.mark === mark) return before;
  const html = textOf(draw());
  const lasting = lastingOf(html);
  const drawn = { html, lasting: before?.lasting === lasting ? before.lasting : lasting, mark };
  known.set(id, drawn);
  return drawn;
}

function wholesOf(fragments: Fragment[]): Map<string, Whole> {
  return new Map(
    fragments.flatMap(({ id, draw, parts }) =>
      parts ? [[id, { draw, ids: new Set(parts.map(({ id }) => id)) }]] : []
    ),
  );
}

/** Returns the ids of the parts of `before` that `after` has no longer. */
function partsGone(before: Map<string, Whole>, after: Map<string, Whole>): string[] {
  const none: ReadonlySet<string> = new Set();
  return [...before].flatMap(([id, { ids }]) => [...ids.difference(after.get(id)?.ids ?? none)]);
}

/** Selects the fragments of a drawing that are new to one page. */
function createNews() {
  const said = new Map<string, string>();
  let shown: Drawing["wholes"] = new Map();

  /** Notes what the page now has, and returns the indexes of the fragments that are new to it. */
  function freshOf(fragments: Drawing["fragments"], begun: ReadonlySet<string>): number[] {
    return fragments.flatMap(({ id, lasting, once, of }, n) => {
      if (once) {
        said.delete(id);
        return n;
      }
      if (said.get(id) === lasting) return [];
      said.set(id, lasting);
      return of !== undefined && begun.has(of) ? [] : n;
    });
  }

  return function news({ fragments, wholes, made }: Drawing, revision: number): Pieces {
    const begun = new Set(wholes.keys()).difference(shown);
    const gone = partsGone(shown, wholes);
    for (const id of [...begun, ...gone]) said.delete(id);
    const fresh = freshOf(fragments, begun);
    shown = wholes;
    const name = `${revision} ${fresh} ${[...begun]} ${gone}`;
    const draw = () =>
      [
        ...[...begun].map((id) => textOf(wholes.get(id)!.draw())),
        ...fresh.map((n) => fragments[n]!.html),
        ...gone.map((id) => textOf(Gone({ id }))),
      ].join("\n");
    const pieces = made.get(name) ?? event(revision, draw(), "room");
    made.set(name, pieces);
    return pieces;
  };
}

/** Removes times from HTML: the page updates those itself. */
function lastingOf(html: string): string {
  return html.replaceAll(/(<time[^>]*>)[^<]*/g, "$1");
}
