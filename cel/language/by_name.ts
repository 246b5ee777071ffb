import { charge } from "./budget.ts";
import { typeName } from "./describe.ts";
import { EvaluationFailed } from "./errors.ts";
import { noteLookup, noteMissing } from "./lookups.ts";
import type { Family } from "./families.ts";
import { integral } from "./std/numbers.ts";

type Members = ReadonlyMap<string, unknown>;

/** The loaded records of a family. */
export interface Loaded {
  /** Returns the record of a name; undefined if there is none. */
  get(name: string | number): Members | undefined;
  /** True if the name was loaded, whether it has a record or not. */
  has(name: string | number): boolean;
  /** The value for a name without a record, and for `null`; undefined if such a name is no member. */
  readonly absent: Members | undefined;
  /** The value in place of a record that is not loaded, in an evaluation that is repeated. */
  readonly placeholder: Members;
  /** Requests that a name is loaded. */
  ask(name: string | number): void;
}

/** `messages.kind` or another family: a map that is read by name only. It requests what is not loaded. */
export class ByName extends Map<unknown, unknown> {
  readonly #family: Family;
  readonly #loaded: Loaded;

  constructor(family: Family, loaded: Loaded) {
    super();
    this.#family = family;
    this.#loaded = loaded;
  }

  override get(key: unknown): unknown {
    charge(1);
    const name = this.#nameOf(key);
    if (name === undefined) return key === null ? this.#loaded.absent : undefined;
    if (!noteLookup(this.#family, name)) return this.#loaded.placeholder;
    if (this.#loaded.has(name)) return this.#loaded.get(name) ?? this.#loaded.absent;
    this.#loaded.ask(name);
    noteMissing();
    return this.#loaded.placeholder;
  }

  override has(key: unknown): boolean {
    return this.get(key) !== undefined;
  }

  /** The fault of a key whose type cannot be a name; undefined for others. */
  problemOf(key: unknown): string | undefined {
    const isId = this.#family === "id";
    if (isId ? integral(key) !== undefined || typeof key === "number" : typeof key === "string") {
      return undefined;
    }
    if (key === null) return undefined;
    return `messages.${this.#family} is read by ${isId ? "a message's number" : "text"}, not by a ${
      typeName(key)
    }`;
  }

  override get size(): number {
    return this.#whole();
  }

  override keys(): MapIterator<unknown> {
    return this.#whole();
  }

  override values(): MapIterator<unknown> {
    return this.#whole();
  }

  override entries(): MapIterator<[unknown, unknown]> {
    return this.#whole();
  }

  override forEach(): void {
    this.#whole();
  }

  override [Symbol.iterator](): MapIterator<[unknown, unknown]> {
    return this.#whole();
  }

  #nameOf(key: unknown): string | number | undefined {
    if (this.#family !== "id") return typeof key === "string" ? key : undefined;
    const id = Number(integral(key) ?? 0n);
    return id > 0 && Number.isSafeInteger(id) ? id : undefined;
  }

  #whole(): never {
    const message = `messages.${this.#family} is read by name only`;
    throw new EvaluationFailed("no_such_key", message, undefined, byNameHint(this.#family));
  }
}

// The language recognises a type by its constructor.
Object.defineProperty(ByName.prototype, "constructor", { value: Map });

/** The ways to read a family. */
export function byNameHint(family: Family): string {
  return family === "id"
    ? "Name a message: `messages.id[7].status`, `has(messages.id[7])`."
    : `Name one: ${EXAMPLES[family]}.`;
}

const EXAMPLES = {
  kind: "`messages.kind.task.open`, `messages.kind[k].done`",
  to: "`messages.to[self].last`",
  from: "`messages.from.alice.last`",
};
