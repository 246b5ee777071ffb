import type { Viewpoint } from "../../db/agents/waits.ts";
import { VIEW_SCOPE } from "../../db/state/entry.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { overlay } from "../language/computed_map.ts";
import type { Context } from "./expression.ts";
import { MAX_WEIGHT, MessageCollection } from "../language/message_reads.ts";
import { agentsFrom } from "./agent_root.ts";
import { messageRoot } from "./message_root.ts";
import { covers, type RoomData } from "./reader.ts";
import type { Reads } from "../language/dependencies.ts";
import { type CelMap, scopesWith } from "./scopes.ts";
import { createViews, lazyViews, type ViewResult } from "./view_root.ts";

export type { ViewResult };

/** A room as expressions see it. */
export type RoomContext = ReturnType<typeof createContext>;

/** With whose eyes a room is seen: the viewer's, those of an agent, or everybody's, null. */
type Eyes = typeof VIEWER | string | null;
const VIEWER = Symbol("viewer");

/** The part of a context that depends on the viewpoint: the agents' statuses, and the views, which may read them. */
interface Look {
  contextOf(self: string | null, eyes?: Eyes): Context;
  view(name: string): ViewResult;
}

/** Builds the variables that docs/api.md lists under CEL from a loaded room. Evaluates a view when it is first read. */
export function createContext(data: RoomData) {
  const { snapshot, definitions, metas, facts, reads } = data;
  const missing = new MessageCollection();
  const { bodies } = reads.facts;
  const messages = messageRoot(snapshot.counts, facts, (family, name) => {
    if (missing.weight(bodies) < MAX_WEIGHT) missing.name(family, name);
  });
  const looks = new Map<string, Look>();
  const agentsSeen = agentsFrom(snapshot, metas);
  const plain = new Map<Eyes, CelMap>();
  const isBlind = ({ state }: Reads) =>
    [...data.hidden].some(([agent, { entries, seen }]) =>
      seen && entries.size > 0 && (state === "all" || state.scopes.includes(agent) ||
        state.keys.some(({ scope, key }) => scope === agent && entries.has(key)))
    );
  const isTold = (eyes: string | null) => eyes === null || (snapshot.owners.get(eyes)?.seen ?? false);

  function plainOf(whose: Eyes): CelMap {
    const eyes = data.hidden.size === 0 ? null : whose;
    const sees = (agent: string, seen: boolean) => eyes === VIEWER ? seen : agent === eyes;
    const known = plain.get(eyes) ??
      new Map<string, unknown>([...scopesWith(data, snapshot.agentIds, sees), [VIEW_SCOPE, undefined]]);
    plain.set(eyes, known);
    return known;
  }

  function look(viewpoint: Viewpoint): { look: Look; key: string } {
    const { key: own, agents } = agentsSeen(viewpoint);
    const known = looks.get(own);
    if (known) return { look: known, key: own };
    const view = createViews(definitions, (eyes) => contextOf(null, eyes), {
      isTold,
      isBlind,
      isLoaded: (wanted) => !data.lacksViews || covers(reads, wanted),
      sharers: Math.max(1, reads.eyes.length),
    });
    const views = lazyViews(definitions, view);
    const contextOf = (self: string | null, eyes: Eyes = VIEWER) => {
      const state = overlay(plainOf(eyes), VIEW_SCOPE, views);
      return new Map(Object.entries({ state, agents, messages, self, now: snapshot.now }));
    };
    looks.set(own, { contextOf, view });
    return { look: looks.get(own)!, key: own };
  }

  return {
    /** What evaluations looked up that was not loaded. While there is any, their results are void. */
    missing,
    /** The variables from a viewpoint. Contexts with the same `key` differ at most in `self`. */
    from(viewpoint: Viewpoint): { context: Context; key: string } {
      const { look: { contextOf }, key } = look(viewpoint);
      return { context: contextOf(viewpoint.self), key };
    },
    /** Evaluates computed views to values or errors. Yields in between. */
    async views(names: Iterable<string>, viewpoint: Viewpoint = { self: null }) {
      const { view } = look(viewpoint).look;
      const results = new Map<string, ViewResult>();
      for (const name of names) {
        if (isBusy()) await yieldToOthers();
        results.set(name, view(name));
      }
      return results;
    },
    /** The variables over which a view is evaluated; undefined where the viewer is not told why it fails. */
    ofView(name: string): Context | undefined {
      const { eyes } = definitions.get(name)!;
      return isTold(eyes) ? look({ self: null }).look.contextOf(null, eyes) : undefined;
    },
  };
}
