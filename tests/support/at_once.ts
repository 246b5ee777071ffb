/**
 * Registers tests that wait most of the time. All of them begin with the first that runs, so that they wait together;
 * each has its own outcome. They share nothing that one of them holds back or replaces.
 */
export function atOnce(tests: Record<string, () => Promise<void>>): void {
  let begun: Map<string, Promise<void>> | undefined;

  function begin() {
    const all = Object.entries(tests).map(([name, test]): [string, Promise<void>] => [name, test()]);
    for (const [, outcome] of all) outcome.catch(() => {}); // told by its own test
    return new Map(all);
  }

  for (const name of Object.keys(tests)) {
    Deno.test({
      name,
      // What the others do goes on meanwhile.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => (begun ??= begin()).get(name)!,
    });
  }
  // Where not all of them are run.
  Deno.test.afterAll(async () => void await Promise.allSettled(begun?.values() ?? []));
}
