/** One operation on one object, as its client saw it. */
export interface Operation<Input, Output> {
  client: number;
  input: Input;
  /** Undefined: no answer came, so that it may or may not have happened. */
  output: Output | undefined;
  start: number;
  /** Infinity where no answer came: it may still happen at any time. */
  end: number;
}

export interface Specification<State, Input, Output> {
  initial: State;
  apply(state: State, input: Input): { state: State; output: Output };
  /** Whether an answer is what the specification gives. */
  same(expected: Output, actual: Output): boolean;
}

/**
 * Whether the operations can be put in one order that keeps to real time and to the specification: the search of
 * Wing and Gong with Lowe's memory of the configurations that were tried. Operations without an answer are put in
 * anywhere after their start, or left out. Throws after `most` configurations, which decides nothing.
 */
export function isLinearizable<State, Input, Output>(
  { initial, apply, same }: Specification<State, Input, Output>,
  history: Operation<Input, Output>[],
  most = 300_000,
): boolean {
  const operations = history.toSorted((a, b) => a.start - b.start);
  const tried = new Set<string>();

  function search(done: bigint, state: State): boolean {
    const open = operations.map((operation, n) => ({ operation, bit: 1n << BigInt(n) }))
      .filter(({ bit }) => (done & bit) === 0n);
    const firstEnd = Math.min(...open.map(({ operation }) => operation.end));
    if (firstEnd === Infinity) return true;
    const id = `${done.toString(36)} ${JSON.stringify(state)}`;
    if (tried.has(id)) return false;
    if (tried.size >= most) throw new Error(`Undecided after ${most} configurations`);
    tried.add(id);
    return open.some(({ operation: { input, output, start }, bit }) => {
      if (start > firstEnd) return false;
      const next = apply(state, input);
      if (output !== undefined && !same(next.output, output)) return false;
      return search(done | bit, next.state);
    });
  }
  return search(0n, initial);
}

/** A history for reading, in order of start. */
export function timeline<Input, Output>(history: Operation<Input, Output>[]): string {
  return history.toSorted((a, b) => a.start - b.start).map(({ client, input, output, start, end }) =>
    `${start.toFixed(2).padStart(10)} .. ${end.toFixed(2).padStart(10)}  client ${
      String(client).padStart(2)
    }  ${JSON.stringify(input)} -> ${output === undefined ? "no answer" : JSON.stringify(output)}`
  ).join("\n");
}
