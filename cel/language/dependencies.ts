import type { Node } from "./engine.ts";
import type { Lookups } from "./lookups.ts";
import { MessageCollection, type MessageReads, readsAs } from "./message_reads.ts";
import { type Path, type Use, visitPaths } from "./paths.ts";

/**
 * What an expression may read, and at least what it does read: over this part alone it has the same value as over the
 * whole room. Scopes that are listed whole have no keys listed.
 */
export interface Reads {
  readonly state: "all" | { scopes: string[]; keys: Array<{ scope: string; key: string }> };
  /** Agent ids, or all. */
  readonly agents: "all" | string[];
  /** Anything of `messages`. */
  readonly messages: boolean;
  readonly facts: MessageReads;
  readonly self: boolean;
  readonly now: boolean;
  /** May read an agent's `last_heartbeat`. */
  readonly heartbeats: boolean;
  /** May read an agent's `alive`, which changes with the time. */
  readonly alive: boolean;
  /** May read an agent's `status` or `waiting_on`. */
  readonly presence: boolean;
  /** The agents with whose eyes views among it are evaluated. */
  readonly eyes: readonly string[];
}

const FLAGS = ["messages", "self", "now", "heartbeats", "alive", "presence"] as const;

class Collection {
  everyKey = false;
  everyAgent = false;
  readonly scopes = new Set<string>();
  readonly keys = new Map<string, Set<string>>();
  readonly agents = new Set<string>();
  /** The roots, and what is read of agents. */
  readonly flags = new Set<string>();
  readonly eyes = new Set<string>();
  readonly facts = new MessageCollection();

  key(scope: string, key: string): void {
    this.keys.set(scope, (this.keys.get(scope) ?? new Set()).add(key));
  }

  /** Adds a path. A step that depends on data may be any key, so it reads all of what is above it. */
  path(path: Path, node: Node, use: Use): void {
    const { root, steps } = path;
    const [first, second] = steps;
    this.flags.add(root);
    if (root === "messages") this.facts.path(path, node, use);
    if (root === "self") this.facts.self(node);
    if (root === "state") {
      if (first === undefined) this.everyKey = true;
      else if (second === undefined) this.scopes.add(first);
      else this.key(first, second);
    }
    if (root !== "agents") return;
    if (first === undefined) this.everyAgent = true;
    else this.agents.add(first);
    const any = steps.length < 2 ? use === "value" : second === undefined;
    if (any || second === "last_heartbeat") this.flags.add("heartbeats");
    if (any || second === "alive") this.flags.add("alive");
    if (any || second === "status" || second === "waiting_on") this.flags.add("presence");
  }

  reads(): Reads {
    const keys = [...this.keys].flatMap(([scope, names]) =>
      this.scopes.has(scope) ? [] : [...names].map((key) => ({ scope, key }))
    );
    return {
      state: this.everyKey ? "all" : { scopes: [...this.scopes], keys },
      agents: this.everyAgent ? "all" : [...this.agents],
      facts: this.facts.reads(),
      eyes: [...this.eyes],
      ...Object.fromEntries(FLAGS.map((flag) => [flag, this.flags.has(flag)])) as Pick<
        Reads,
        typeof FLAGS[number]
      >,
    };
  }
}

export function readsOf(root: Node): Reads {
  const collection = new Collection();
  visitPaths(root, (path, node, use) => collection.path(path, node, use));
  return collection.reads();
}

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
    for (const flag of FLAGS) if (reads[flag]) union.flags.add(flag);
    union.facts.add(reads.facts);
    for (const id of reads.eyes) union.eyes.add(id);
  }
  return union.reads();
}

/** The reads from an agent's viewpoint, or nobody's: what is read of messages under `self` has its name. */
export function readsFrom(reads: Reads, self: string | null): Reads {
  const facts = readsAs(reads.facts, self);
  return facts === reads.facts ? reads : { ...reads, facts };
}

/** The reads together with what is read of messages by name. */
export function withFacts(reads: Reads, facts: MessageReads): Reads {
  return unionReads([reads, { ...unionReads([]), messages: true, facts }]);
}

/** The reads of a view that is evaluated with the eyes of an agent. */
export function withEyes(reads: Reads, eyes: string | null): Reads {
  return eyes === null ? reads : { ...reads, eyes: [eyes] };
}

/** What an expression reads from a viewpoint: what is known to be read, and what its last evaluation looked up. */
export function readsAfter(reads: Reads, self: string | null, { names }: Pick<Lookups, "names">): Reads {
  const looked = new MessageCollection();
  looked.all(names);
  return looked.isEmpty ? readsFrom(reads, self) : withFacts(readsFrom(reads, self), looked.reads());
}
