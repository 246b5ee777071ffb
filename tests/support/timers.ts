type Act = (...given: unknown[]) => void;

/** Holds timers and intervals of one length back until the test fires them; all others run as usual. */
export function holdTimers(ms: number) {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const held = new Map<number, { act(): void; repeats: boolean }>();
  let next = -1;
  const holding =
    (set: typeof setTimeout | typeof setInterval, repeats: boolean) =>
    (act: Act, delay?: number, ...given: unknown[]) => {
      if (delay !== ms) return set(act, delay, ...given);
      held.set(next, { act: () => act(...given), repeats });
      return next--;
    };
  const clear = (id?: number) => held.delete(id!) ? undefined : clearTimeout(id);
  Object.assign(globalThis, {
    setTimeout: holding(setTimeout, false),
    setInterval: holding(setInterval, true),
    clearTimeout: clear,
    clearInterval: clear,
  });
  return {
    get count() {
      return held.size;
    },
    /** How many were set so far, those included that were cleared. */
    get set() {
      return -1 - next;
    },
    fire() {
      for (const [id, { act, repeats }] of held) {
        if (!repeats) held.delete(id);
        act();
      }
    },
    [Symbol.dispose]: () =>
      void Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval }),
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
