import type { Node } from "./engine.ts";
import { type Family, MAX_LOOKUPS } from "./families.ts";
import { familyOf, lastStep, literal, type Path, type Use } from "./paths.ts";

/** What is read of `messages` beside the counts: of a family, the names that are read. */
export interface MessageReads {
  /** `messages.last`. */
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

/** Collects what is read of messages. */
export class MessageCollection {
  last = false;
  bodies = false;
  readonly kind = new Set<string>();
  readonly to = new Set<string>();
  readonly from = new Set<string>();
  readonly id = new Set<number>();
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
    else if (family !== "id") this[family].add(text!);
  }

  /** Adds a member of a family. */
  name(family: Family, name: string | number): void {
    if (family === "id") this.id.add(Number(name));
    else this[family].add(String(name));
  }

  /** Adds what an evaluation looked up. */
  lookups(names: Readonly<Record<Family, ReadonlySet<string | number>>>): void {
    for (const family of Object.keys(names) as Family[]) {
      for (const name of names[family]) this.name(family, name);
    }
  }

  /** The weight of what is collected, with or without the messages' bodies. */
  weight(bodies: boolean): number {
    return weigh(this.kind.size + this.to.size + this.from.size, this.id.size, bodies);
  }

  get isEmpty(): boolean {
    return [this.kind, this.to, this.from, this.id].every(({ size }) => size === 0);
  }

  add(reads: MessageReads): void {
    this.last ||= reads.last;
    this.bodies ||= reads.bodies;
    for (const family of ["kind", "to", "from"] as const) {
      for (const name of reads[family]) this[family].add(name);
    }
    for (const id of reads.id) this.id.add(id);
    for (const family of reads.ofSelf) this.ofSelf.add(family);
  }

  reads(): MessageReads {
    for (const [family, name] of this.#computed) {
      if (family !== "id" && this.#selves.has(name)) this.ofSelf.add(family);
      const id = name.op === "value" ? Number(name.args) : NaN;
      if (family === "id" && Number.isSafeInteger(id) && this.id.size < MAX_LOOKUPS.id) this.id.add(id);
    }
    const { last, bodies } = this;
    const [kind, to, from, id, ofSelf] = [this.kind, this.to, this.from, this.id, this.ofSelf];
    return { last, bodies, kind: [...kind], to: [...to], from: [...from], id: [...id], ofSelf: [...ofSelf] };
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
  for (const family of reads.ofSelf) if (self !== null) collection[family].add(self);
  return collection.reads();
}
