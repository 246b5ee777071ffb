import type { Json } from "../../db/json.ts";
import { isAlive, isHidden, type Newest, newestOf, present, type Viewpoint } from "../../db/presence.ts";
import type { AgentRow, Snapshot } from "../../db/snapshots/snapshot.ts";
import { VIEW_SCOPE } from "../../db/state/entry.ts";
import { type Lookups, repeatLookups, trackLookups } from "../language/lookups.ts";
import { MAX_WEIGHT, MessageCollection } from "../language/message_reads.ts";
import { compile, type Context, EvaluationFailed, InvalidExpression } from "../language/expression.ts";
import { circular, type Definitions } from "./definitions.ts";
import { messageRoot } from "./message_root.ts";
import { overlay } from "./overlay.ts";
import type { RoomData } from "./reader.ts";
import type { CelMap } from "./scopes.ts";
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
}

/** The part of a context that depends on the viewpoint: the agents' statuses, and the views, which may read them. */
interface Look {
  contextOf(self: string | null): Context;
  view(name: string): ViewResult;
}

/** Builds the variables that docs/api.md lists under CEL from a loaded room. Evaluates a view when it is first read. */
export function createContext(
  { snapshot, definitions, scopes, metas, facts, reads }: RoomData,
): RoomContext {
  const missing = new MessageCollection();
  const { bodies } = reads.facts;
  const messages = messageRoot(snapshot.counts, facts, (family, name) => {
    if (missing.weight(bodies) < MAX_WEIGHT) missing.name(family, name);
  });
  const looks = new Map<string, Look>();
  const agentsSeen = agentsFrom(snapshot, metas);
  const plain: CelMap = new Map<string, unknown>([...scopes, [VIEW_SCOPE, undefined]]);

  function look(viewpoint: Viewpoint): { look: Look; key: string } {
    const { key: own, agents } = agentsSeen(viewpoint);
    const known = looks.get(own);
    if (known) return { look: known, key: own };
    const view = createViews(definitions, () => contextOf(null));
    const state = overlay(plain, VIEW_SCOPE, lazyViews(definitions, view));
    const contextOf = (self: string | null) =>
      new Map(Object.entries({ state, agents, messages, self, now: snapshot.now }));
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
 * Evaluates views, each once. Views that name each other in a cycle fail with `view_cycle`, as do those whose cycle
 * shows only at evaluation, since an index in it is computed.
 */
function createViews(definitions: Definitions, context: () => Context): (name: string) => ViewResult {
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
    const result = evaluate(definition.source, context());
    underWay.pop();
    return inCycle.has(name) ? cycle(name) : result;
  }

  return function view(name) {
    const known = results.get(name);
    if (known) repeatLookups(known.lookups);
    const { result, lookups } = known ?? trackLookups(() => resultOf(name));
    if (!underWay.includes(name)) results.set(name, { result, lookups });
    return result;
  };
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
