type Answer = Response | Promise<Response>;

/** Counts requests until their answers are made, for servers whose end cannot be awaited. */
export function createUnderWay() {
  let count = 0;
  let tell: (() => void) | undefined;
  const end = () => {
    if (--count === 0) tell?.();
  };
  return {
    /** Makes an answer, and counts its request until it is made. */
    counted(make: () => Answer): Answer {
      count++;
      const answer = make();
      if (answer instanceof Promise) return answer.finally(end);
      end();
      return answer;
    },
    /** Resolves when no request is under way. */
    idle: () => count === 0 ? Promise.resolve() : new Promise<void>((resolve) => tell = resolve),
  };
}
