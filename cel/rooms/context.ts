import type { Json } from "../../db/json.ts";
import {
  isAlive,
  isHidden,
  type Newest,
  newestOf,
  present,
  type Viewpoint,
} from "../../db/agents/presence.ts";
import type { AgentRow, Snapshot } from "../../db/snapshots/snapshot.ts";
import { VIEW_SCOPE } from "../../db/state/entry.ts";
import { underOwnBudget } from "../language/budget.ts";
import { type Lookups, repeatLookups, trackLookups, withOwnLookups } from "../language/lookups.ts";
import { MAX_WEIGHT, MessageCollection } from "../language/message_reads.ts";
import { compile, type Context, EvaluationFailed, InvalidExpression } from "../language/expression.ts";
import { circular, type Definitions } from "./definitions.ts";
import { messageRoot } from "./message_root.ts";
import { overlay } from "./overlay.ts";
import type { RoomData } from "./reader.ts";
import { type CelMap, scopesWith } from "./scopes.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { toCel } from "../language/values.ts";

export type ViewResult = { value: Json } | { error: { code: string; message: string } };

/** A room as expressions see it. */
export interface RoomContext {
  /** The variables from a viewpoint. Contexts with the same `key` differ at most in `self`. */
  from(viewpoint: Viewpoint): { context: Context; key: string };
  /** What evaluations asked for that was not loaded: while there is any, what they gave means nothing. */
  readonly missing: MessageCollection;
  /** Evaluates computed views to values or errors. Yields in between. */
  views(names: Iterable<string>, viewpoint?: Viewpoint): Promise<Map<string, ViewResult>>;
  /** The variables over which a view is evaluated; undefined where the viewer is not told why it fails. */
  ofView(name: string): Context | undefined;
}

/** With whose eyes a room is seen: the viewer's, those of an agent, or everybody's, null. */
type Eyes = typeof VIEWER | string | null;
const VIEWER = Symbol("viewer");

/** The part of a context that depends on the viewpoint: the agents' statuses, and the views, which may read them. */
interface Look {
  contextOf(self: string | null, eyes?: Eyes): Context;
  view(name: string): ViewResult;
}

/** Builds the variables that docs/api.md lists under CEL from a loaded room. Evaluates a view when it is first read. */
export function createContext(data: RoomData): RoomContext {
  const { snapshot, definitions, metas, facts, reads } = data;
  const missing = new MessageCollection();
  const { bodies } = reads.facts;
  const messages = messageRoot(snapshot.counts, facts, (family, name) => {
    if (missing.weight(bodies) < MAX_WEIGHT) missing.name(family, name);
  });
  const looks = new Map<string, Look>();
  const agentsSeen = agentsFrom(snapshot, metas);
  const plain = new Map<Eyes, CelMap>();
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
    missing,
    from(viewpoint) {
      const { look: { contextOf }, key } = look(viewpoint);
      return { context: contextOf(viewpoint.self), key };
    },
    async views(names, viewpoint = { self: null }) {
      const { view } = look(viewpoint).look;
      const results = new Map<string, ViewResult>();
      for (const name of names) {
        if (isBusy()) await yieldToOthers();
        results.set(name, view(name));
      }
      return results;
    },
    ofView(name) {
      const { eyes } = definitions.get(name)!;
      return isTold(eyes) ? look({ self: null }).look.contextOf(null, eyes) : undefined;
    },
  };
}

/** The agents as a wait sees them, whose own agent's status alone differs; `key` identifies the result. */
function agentsFrom({ agents, waits, now }: Snapshot, metas: Map<string, unknown>) {
  const byAgent = Map.groupBy(waits, ({ agent_id }) => agent_id);
  const rows = new Map(agents.map((agent) => [agent.id, agent]));
  const newest = newestOf(waits);
  const recordOf = (agent: AgentRow, shown: Newest): CelMap => {
    const { id, name, role, joined_at, last_heartbeat, secure } = agent;
    const { status, waiting_on } = present(id, agent.status, shown);
    const alive = isAlive(id, last_heartbeat, shown, now);
    const record = { id, name, role, status, waiting_on, joined_at, last_heartbeat, alive, secure };
    return new Map<string, unknown>([...Object.entries(record), ["meta", metas.get(id)]]);
  };
  const all: CelMap = new Map(agents.map((agent) => [agent.id, recordOf(agent, newest)]));

  return function agentsSeen(viewpoint: Viewpoint): { key: string; agents: CelMap } {
    const own = byAgent.get(viewpoint.self ?? "") ?? [];
    const shown = own.filter((wait) => !isHidden(wait, viewpoint));
    const agent = shown.length === own.length ? undefined : rows.get(viewpoint.self!);
    if (agent === undefined) return { key: "", agents: all };
    return { key: viewpoint.wait!, agents: overlay(all, agent.id, recordOf(agent, newestOf(shown))) };
  };
}

/**
 * Evaluates views, each once, with the eyes of who defined it. What the evaluation took does not show around one that is
 * an agent's, of which there are `sharers`, and why it fails only where `isTold`. Views that name each other in a cycle fail with `view_cycle`, as do
 * those whose cycle shows only at evaluation, since an index in it is computed.
 */
function createViews(
  definitions: Definitions,
  contextFor: (eyes: string | null) => Context,
  { isTold, sharers }: { isTold(eyes: string | null): boolean; sharers: number },
): (name: string) => ViewResult {
  const results = new Map<string, { result: ViewResult; lookups: Lookups }>();
  const underWay: string[] = [];
  const inCycle = new Set(circular(definitions));

  function resultOf(name: string): ViewResult {
    const definition = definitions.get(name);
    if (definition === undefined) return failure("no_such_key", `There is no view ${JSON.stringify(name)}.`);
    const began = underWay.indexOf(name);
    if (began >= 0) underWay.slice(began).forEach((member) => inCycle.add(member));
    if (inCycle.has(name)) return cycle(name);
    underWay.push(name);
    const { source, eyes } = definition;
    const run = () => evaluate(source, contextFor(eyes));
    const result = eyes === null ? run() : underOwnBudget(eyes, sharers, run);
    underWay.pop();
    if (inCycle.has(name)) return cycle(name);
    return "error" in result && !isTold(eyes) ? untold(name, eyes!) : result;
  }

  function seen(name: string): ViewResult {
    const known = results.get(name);
    if (known) repeatLookups(known.lookups);
    const { result, lookups } = known ?? trackLookups(() => resultOf(name));
    if (!underWay.includes(name)) results.set(name, { result, lookups });
    return result;
  }

  return (name) =>
    (definitions.get(name)?.eyes ?? null) === null ? seen(name) : withOwnLookups(() => seen(name));
}

function untold(name: string, eyes: string): ViewResult {
  const why = `Only ${JSON.stringify(eyes)}, who defined it, and admins are told why.`;
  return failure("evaluation_failed", `The view ${JSON.stringify(name)} fails. ${why}`);
}

function cycle(name: string): ViewResult {
  return failure("view_cycle", `The view ${JSON.stringify(name)} is defined by itself.`);
}

function failure(code: string, message: string): ViewResult {
  return { error: { code, message } };
}

function evaluate(source: string, context: Context): ViewResult {
  try {
    return { value: compile(source).evaluate(context) };
  } catch (error) {
    if (!(error instanceof EvaluationFailed || error instanceof InvalidExpression)) throw error;
    return failure(error.code, error.message);
  }
}

/** `state._view`: a Map that evaluates a member when it is read. Views that fail are not members. */
function lazyViews(definitions: Definitions, view: (name: string) => ViewResult): CelMap {
  const read = (name: unknown) => {
    const result = definitions.has(name as string) ? view(name as string) : undefined;
    return result && "value" in result ? { value: toCel(result.value) } : undefined;
  };
  function* entries(): MapIterator<[string, unknown]> {
    for (const name of definitions.keys()) {
      const found = read(name);
      if (found) yield [name, found.value];
    }
  }
  const map: CelMap = new Map();
  return Object.defineProperties(map, {
    get: { value: (name: unknown) => read(name)?.value },
    has: { value: (name: unknown) => read(name) !== undefined },
    size: { get: () => [...entries()].length },
    keys: { value: () => entries().map(([name]) => name) },
    values: { value: () => entries().map(([, value]) => value) },
    entries: { value: entries },
    forEach: {
      value: (visit: (value: unknown, name: string) => void) =>
        entries().forEach(([name, value]) => visit(value, name)),
    },
    [Symbol.iterator]: { value: entries },
  });
}
