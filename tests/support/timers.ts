/** Holds timers of one length back until the test fires them; all others run as usual. */
export function holdTimers(ms: number) {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const held = new Map<number, () => void>();
  let next = -1;
  globalThis.setTimeout = ((act: () => void, delay?: number) => {
    if (delay !== ms) return set(act, delay);
    held.set(next, act);
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
