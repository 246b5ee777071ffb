import type { Json } from "../db/json.ts";
import { present, type Status, type WaitInProgress } from "../db/presence.ts";
import type { AgentRow } from "../db/snapshot.ts";
import { SHARED_SCOPE, VIEW_SCOPE } from "../db/state.ts";
import { compile, type Context, EvaluationFailed, InvalidExpression } from "./expression.ts";
import type { RoomData } from "./reader.ts";
import { createTurn } from "./turn.ts";
import { toCel } from "./values.ts";

/** Who looks at a room: `self`, and the wait that the looker is to be shown without. */
export interface Viewpoint {
  self: string | null;
  wait?: string;
}

export type ViewResult = { value: Json } | { error: { code: string; message: string } };

/** A room as expressions see it. */
export interface RoomContext {
  /** Contexts of looks that see the same are built once. `key` tells them apart. */
  from(viewpoint: Viewpoint): { context: Context; key: string };
  /** The values of computed views, or why they have none. Gives way to other requests in between. */
  views(names: Iterable<string>, viewpoint?: Viewpoint): Promise<Map<string, ViewResult>>;
}

type CelMap = Map<string, unknown>;

/** What differs between looks: the agents' statuses, and the views, which may read them. */
interface Look {
  roots: CelMap;
  view(name: string): ViewResult;
}

/** Builds the variables of API.md's CEL section from what was loaded, views evaluated when they are read. */
export function createContext({ snapshot, definitions }: RoomData, now: Date): RoomContext {
  const scopes = scopesOf(snapshot);
  const messages: CelMap = new Map(Object.entries(snapshot.counts));
  const looks = new Map<string, Look>();

  function look({ wait }: Viewpoint): { look: Look; key: string } {
    const own = wait !== undefined && snapshot.waits.some(({ token }) => token === wait) ? wait : "";
    const known = looks.get(own);
    if (known) return { look: known, key: own };
    const agents = agentsOf(snapshot.agents, snapshot.waits.filter(({ token }) => token !== own));
    const roots: CelMap = new Map<string, unknown>([["agents", agents], ["messages", messages], [
      "now",
      now,
    ]]);
    const view = createViews(definitions, () => new Map([...roots, ["self", null]]));
    roots.set("state", new Map<string, unknown>([...scopes, [VIEW_SCOPE, lazyViews(definitions, view)]]));
    looks.set(own, { roots, view });
    return { look: looks.get(own)!, key: own };
  }

  return {
    from(viewpoint) {
      const { look: { roots }, key } = look(viewpoint);
      return { context: new Map([...roots, ["self", viewpoint.self]]), key };
    },
    async views(names, viewpoint = { self: null }) {
      const { view } = look(viewpoint).look;
      const results = new Map<string, ViewResult>();
      const turn = createTurn();
      for (const name of names) {
        await turn();
        results.set(name, view(name));
      }
      return results;
    },
  };
}

/** The plain scopes. Those of the system and of every registered agent exist even when empty. */
function scopesOf({ entries, agentIds }: RoomData["snapshot"]): Map<string, CelMap> {
  const scopes = new Map<string, CelMap>([[SHARED_SCOPE, new Map()]]);
  for (const id of agentIds) scopes.set(id, new Map());
  for (const { scope, key, value } of entries) {
    if (!scopes.has(scope)) scopes.set(scope, new Map());
    scopes.get(scope)!.set(key, toCel(value));
  }
  return scopes;
}

function agentsOf(agents: AgentRow[], waits: WaitInProgress[]): CelMap {
  return new Map(agents.map((agent) => {
    const { status, waiting_on } = present(agent.id, agent.status as Status, waits);
    const { id, name, role, joined_at, last_heartbeat } = agent;
    const record = { id, name, role, status, waiting_on, joined_at, last_heartbeat };
    return [id, new Map<string, unknown>([...Object.entries(record), ["meta", toCel(agent.meta)]])];
  }));
}

/**
 * Evaluates views, each once. A view that is read while it is being evaluated is in a cycle, and so is every
 * view between: each of them fails with `view_cycle`.
 */
function createViews(
  definitions: ReadonlyMap<string, string>,
  context: () => Context,
): (name: string) => ViewResult {
  const results = new Map<string, ViewResult>();
  const underWay: string[] = [];
  const inCycle = new Set<string>();
  return function view(name) {
    const known = results.get(name);
    if (known) return known;
    const began = underWay.indexOf(name);
    if (began >= 0) {
      underWay.slice(began).forEach((member) => inCycle.add(member));
      return cycle(name);
    }
    const source = definitions.get(name);
    if (source === undefined) {
      return { error: { code: "no_such_key", message: `There is no view ${JSON.stringify(name)}.` } };
    }
    underWay.push(name);
    try {
      const result = evaluate(source, context());
      const settled = inCycle.has(name) ? cycle(name) : result;
      results.set(name, settled);
      return settled;
    } finally {
      underWay.pop();
    }
  };
}

function cycle(name: string): ViewResult {
  return { error: { code: "view_cycle", message: `The view ${JSON.stringify(name)} is defined by itself.` } };
}

function evaluate(source: string, context: Context): ViewResult {
  try {
    return { value: compile(source).evaluate(context) };
  } catch (error) {
    if (!(error instanceof EvaluationFailed || error instanceof InvalidExpression)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}

/** `state._view`: a Map whose members are evaluated when they are asked for; those that fail are no members. */
function lazyViews(definitions: ReadonlyMap<string, string>, view: (name: string) => ViewResult): CelMap {
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
