/** Finds the members of a `ComputedMap` when they are read. */
interface Members {
  /** The value at a key, undefined where there is none. */
  get(key: unknown): unknown;
  keys(): MapIterator<string>;
  /** The number of keys. */
  size(): number;
  /** Why a key is absent that one might expect, as a hint; undefined where there is nothing to tell. */
  whyAbsent?(key: unknown): string | undefined;
  /** The fault of a key whose type is never that of a member's; undefined for others. */
  problemOf?(key: unknown): string | undefined;
}

/** A map without entries of its own. */
export class ComputedMap extends Map<string, unknown> {
  readonly #members: Members;

  constructor(members: Members) {
    super();
    this.#members = members;
  }

  override get(key: unknown): unknown {
    return this.#members.get(key);
  }

  override has(key: unknown): boolean {
    return this.#members.get(key) !== undefined;
  }

  override get size(): number {
    return this.#members.size();
  }

  override keys(): MapIterator<string> {
    return this.#members.keys();
  }

  override *entries(): MapIterator<[string, unknown]> {
    for (const key of this.#members.keys()) yield [key, this.#members.get(key)];
  }

  override values(): MapIterator<unknown> {
    return this.entries().map(([, value]) => value) as MapIterator<unknown>;
  }

  override forEach(visit: (value: unknown, key: string, map: Map<string, unknown>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries();
  }

  whyAbsent(key: unknown): string | undefined {
    return this.#members.whyAbsent?.(key);
  }

  problemOf(key: unknown): string | undefined {
    return this.#members.problemOf?.(key);
  }
}

// The language recognises a type by its constructor.
Object.defineProperty(ComputedMap.prototype, "constructor", { value: Map });

/** Shows `base` with `value` at `key`, which must be one of its keys, at a constant cost. `base` must not change. */
export function overlay(base: Map<string, unknown>, key: string, value: unknown): Map<string, unknown> {
  return new ComputedMap({
    get: (name) => name === key ? value : base.get(name as string),
    keys: () => base.keys(),
    size: () => base.size,
  });
}
