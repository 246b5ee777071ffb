const WITHIN_MS = 10_000;
const EACH_MS = 10;

/** Asks until the answer is as wanted, and returns it. Where it never is the test fails, and does not go on for ever. */
export async function until<T>(
  ask: () => T | Promise<T>,
  wanted: (answer: T) => boolean,
  within: number = WITHIN_MS,
): Promise<T> {
  for (const deadline = performance.now() + within;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`After ${within} ms the answer still is ${JSON.stringify(answer)?.slice(0, 1_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, EACH_MS));
  }
}
