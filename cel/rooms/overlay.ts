import type { CelMap } from "./scopes.ts";

/** A Map that shows another one with a different value at one key, at a constant cost. `base` must not change. */
class Overlay extends Map<string, unknown> {
  readonly #base: CelMap;
  readonly #key: string;
  readonly #value: unknown;

  constructor(base: CelMap, key: string, value: unknown) {
    super();
    this.#base = base;
    this.#key = key;
    this.#value = value;
  }

  override get(key: string): unknown {
    return key === this.#key ? this.#value : this.#base.get(key);
  }

  override has(key: string): boolean {
    return this.#base.has(key);
  }

  override get size(): number {
    return this.#base.size;
  }

  override keys(): MapIterator<string> {
    return this.#base.keys();
  }

  override values(): MapIterator<unknown> {
    return this.entries().map(([, value]) => value) as MapIterator<unknown>;
  }

  override entries(): MapIterator<[string, unknown]> {
    const own = ([key, value]: [string, unknown]): [string, unknown] => [
      key,
      key === this.#key ? this.#value : value,
    ];
    return this.#base.entries().map(own) as MapIterator<[string, unknown]>;
  }

  override forEach(visit: (value: unknown, key: string, map: CelMap) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries();
  }
}

// The language recognises a type by its constructor.
Object.defineProperty(Overlay.prototype, "constructor", { value: Map });

/** Shows `base` with `value` at `key`, which must be one of its keys. */
export function overlay(base: CelMap, key: string, value: unknown): CelMap {
  return new Overlay(base, key, value);
}
