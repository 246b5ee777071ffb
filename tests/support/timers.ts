/** Holds timers of one length back until the test fires them; all others run as usual. */
export function holdTimers(ms: number) {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const held = new Map<number, () => void>();
  let next = -1;
  globalThis.setTimeout = ((act: (...given: unknown[]) => void, delay?: number, ...given: unknown[]) => {
    if (delay !== ms) return set(act, delay, ...given);
    held.set(next, () => act(...given));
    return next--;
  }) as typeof set;
  globalThis.clearTimeout = (id) => held.delete(id as number) ? undefined : clear(id);
  return {
    get count() {
      return held.size;
    },
    /** How many were set so far, those included that were cleared. */
    get set() {
      return -1 - next;
    },
    fire() {
      for (const act of held.values()) act();
      held.clear();
    },
    [Symbol.dispose]: () => void Object.assign(globalThis, { setTimeout: set, clearTimeout: clear }),
  };
}

/** A test that fails where a timer, a request or a file is left. */
export function checked(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });
}

/** Counts the listeners of a signal that are not removed. */
export function countListeners(signal: AbortSignal): { readonly count: number } {
  const listeners = new Set<unknown>();
  const { addEventListener: add, removeEventListener: remove } = signal;
  Object.assign(signal, {
    addEventListener(...args: Parameters<typeof add>) {
      listeners.add(args[1]);
      add.apply(signal, args);
    },
    removeEventListener(...args: Parameters<typeof remove>) {
      listeners.delete(args[1]);
      remove.apply(signal, args);
    },
  });
  return {
    get count() {
      return listeners.size;
    },
  };
}
