import type { Node } from "./engine.ts";
import { type Path, type Use, visitPaths } from "./paths.ts";

/**
 * What an expression may read. Never less than it does read: over just this, it gives what it gives over
 * everything. Keys are not repeated for scopes that are listed whole.
 */
export interface Reads {
  readonly state: "all" | { scopes: string[]; keys: Array<{ scope: string; key: string }> };
  /** Agent ids, or all. */
  readonly agents: "all" | string[];
  readonly messages: boolean;
  readonly self: boolean;
  readonly now: boolean;
  /** May read an agent's `last_heartbeat`. */
  readonly heartbeats: boolean;
  /** May read an agent's `status` or `waiting_on`. */
  readonly presence: boolean;
}

/** Reads as they are collected. */
class Collection {
  everyKey = false;
  everyAgent = false;
  heartbeats = false;
  presence = false;
  readonly scopes = new Set<string>();
  readonly keys = new Map<string, Set<string>>();
  readonly agents = new Set<string>();
  readonly roots = new Set<string>();

  key(scope: string, key: string): void {
    this.keys.set(scope, (this.keys.get(scope) ?? new Set()).add(key));
  }

  /** A step that depends on data may take any key: what is above it is read whole. */
  path({ root, steps }: Path, use: Use): void {
    const [first, second] = steps;
    this.roots.add(root);
    if (root === "state") {
      if (first === undefined) this.everyKey = true;
      else if (second === undefined) this.scopes.add(first);
      else this.key(first, second);
    }
    if (root !== "agents") return;
    if (first === undefined) this.everyAgent = true;
    else this.agents.add(first);
    const any = steps.length < 2 ? use === "value" : second === undefined;
    this.heartbeats ||= any || second === "last_heartbeat";
    this.presence ||= any || second === "status" || second === "waiting_on";
  }

  reads(): Reads {
    const keys = [...this.keys].flatMap(([scope, names]) =>
      this.scopes.has(scope) ? [] : [...names].map((key) => ({ scope, key }))
    );
    return {
      state: this.everyKey ? "all" : { scopes: [...this.scopes], keys },
      agents: this.everyAgent ? "all" : [...this.agents],
      messages: this.roots.has("messages"),
      self: this.roots.has("self"),
      now: this.roots.has("now"),
      heartbeats: this.heartbeats,
      presence: this.presence,
    };
  }
}

/** What a tree may read of the room. */
export function readsOf(root: Node): Reads {
  const collection = new Collection();
  visitPaths(root, (path, _node, use) => collection.path(path, use));
  return collection.reads();
}

/** What any of several expressions may read. */
export function unionReads(list: Iterable<Reads>): Reads {
  const union = new Collection();
  for (const reads of new Set(list)) {
    if (reads.state === "all") union.everyKey = true;
    else {
      for (const scope of reads.state.scopes) union.scopes.add(scope);
      for (const { scope, key } of reads.state.keys) union.key(scope, key);
    }
    if (reads.agents === "all") union.everyAgent = true;
    else for (const id of reads.agents) union.agents.add(id);
    for (const root of ["messages", "self", "now"] as const) if (reads[root]) union.roots.add(root);
    union.heartbeats ||= reads.heartbeats;
    union.presence ||= reads.presence;
  }
  return union.reads();
}
