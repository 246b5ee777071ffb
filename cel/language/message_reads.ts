import { lastStep, literal, type Node } from "./engine.ts";
import { type Family, FAMILY_NAMES, MAX_LOOKUPS, noNames } from "./families.ts";
import { familyOf, type Path, type Use } from "./paths.ts";

/** What is read of `messages` beside the counts: of a family, the names that are read. */
export interface MessageReads {
  readonly last: boolean;
  readonly kind: readonly string[];
  readonly to: readonly string[];
  readonly from: readonly string[];
  readonly id: readonly number[];
  /** Families that are read under the name `self`. */
  readonly ofSelf: readonly TextFamily[];
  /** May read a message's `body` or `result`. */
  readonly bodies: boolean;
}

type TextFamily = Exclude<Family, "id">;

export class MessageCollection {
  last = false;
  bodies = false;
  readonly names = noNames();
  readonly ofSelf = new Set<TextFamily>();
  readonly #selves = new Set<Node>();
  readonly #computed: Array<[family: Family, name: Node]> = [];

  /** Notes that a node is the root `self`, and no variable of that name. */
  self(node: Node): void {
    this.#selves.add(node);
  }

  /** Adds a path of `messages`. A name that depends on data adds nothing: the evaluation requests it. */
  path({ steps }: Path, node: Node, use: Use): void {
    const [first, , third] = steps;
    const any = first === undefined && (steps.length > 0 || use === "value");
    this.last ||= any || first === "last";
    this.bodies ||= any;
    const { family, name } = namedBy(node) ?? {};
    if (family === undefined || name === undefined) return;
    if (family === "id") {
      const whole = steps.length === 2 && use === "value";
      this.bodies ||= whole || steps.length > 2 && [undefined, "body", "result"].includes(third);
    }
    const text = literal(name);
    if (typeof name !== "string" && text === undefined) this.#computed.push([family, name]);
    else if (family !== "id") this.name(family, text!);
  }

  name(family: Family, name: string | number): void {
    (this.names[family] as Set<string | number>).add(name);
  }

  /** Adds members of all families, such as those that an evaluation looked up. */
  all(names: Readonly<Record<Family, Iterable<string | number>>>): void {
    for (const family of FAMILY_NAMES) {
      for (const name of names[family]) this.name(family, name);
    }
  }

  /** The weight of what is collected, with or without the messages' bodies. */
  weight(bodies: boolean): number {
    const { kind, to, from, id } = this.names;
    return weigh(kind.size + to.size + from.size, id.size, bodies);
  }

  get isEmpty(): boolean {
    return this.weight(false) === 0;
  }

  add(reads: MessageReads): void {
    this.last ||= reads.last;
    this.bodies ||= reads.bodies;
    this.all(reads);
    for (const family of reads.ofSelf) this.ofSelf.add(family);
  }

  reads(): MessageReads {
    const { last, bodies, ofSelf, names: { kind, to, from, id: ids } } = this;
    for (const [family, name] of this.#computed) {
      if (family !== "id" && this.#selves.has(name)) ofSelf.add(family);
      const id = name.op === "value" ? Number(name.args) : NaN;
      if (family === "id" && Number.isSafeInteger(id) && ids.size < MAX_LOOKUPS.id) ids.add(id);
    }
    return { last, bodies, kind: [...kind], to: [...to], from: [...from], id: [...ids], ofSelf: [...ofSelf] };
  }
}

/**
 * The maximum weight of what one look adds to the reads of messages, and of what a load reads of them. A name weighs 1,
 * and so does a message without its bodies.
 */
export const [MAX_WEIGHT, MAX_LOADED] = [2_000, 16_000];
/** The weight of a message with its body and its result's: each may have 64 KiB. */
const BODY_WEIGHT = 10;

const weigh = (names: number, ids: number, bodies: boolean) => names + ids * (bodies ? BODY_WEIGHT : 1);

export function weightOf({ kind, to, from, id, bodies }: MessageReads): number {
  return weigh(kind.length + to.length + from.length, id.length, bodies);
}

/** Leaves out the last messages beyond a weight: an evaluation that needs them requests them. */
export function loadable(reads: MessageReads, max: number): MessageReads {
  if (weightOf(reads) <= max) return reads;
  const left = max - weightOf({ ...reads, id: [] });
  return { ...reads, id: reads.id.slice(0, Math.max(0, Math.floor(left / weigh(0, 1, reads.bodies)))) };
}

/** The family that a path reads, and the step that names its member; undefined for other paths. */
function namedBy(node: Node): { family: Family; name: Node | string } | undefined {
  for (let last = lastStep(node); last; last = lastStep(last.target)) {
    const family = familyOf(last.target);
    if (family !== undefined) return { family, name: last.step };
  }
  return undefined;
}

/** The reads, with the agent's id in place of the name `self`. */
export function readsAs(reads: MessageReads, self: string | null): MessageReads {
  if (reads.ofSelf.length === 0) return reads;
  const collection = new MessageCollection();
  collection.add({ ...reads, ofSelf: [] });
  for (const family of reads.ofSelf) if (self !== null) collection.name(family, self);
  return collection.reads();
}
