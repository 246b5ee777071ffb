/** The value below which a share of the numbers lies; NaN where there are none. */
export function quantile(numbers: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** The number in the middle. */
export function median(numbers: ArrayLike<number>): number {
  const sorted = Float64Array.from(numbers).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/** The median of each member over several samples. */
export function medians<T extends Record<string, number>>(samples: T[]): T {
  const names = Object.keys(samples[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(samples.map((sample) => sample[name]!))]),
  ) as T;
}

/**
 * Measures subjects in turn, round after round, so that what changes on the machine meanwhile meets all of
 * them. The first round warms up and is dropped.
 */
export async function alternate<Name extends string, Sample>(
  subjects: readonly Name[],
  rounds: number,
  measure: (subject: Name, round: number) => Promise<Sample> | Sample,
): Promise<Record<Name, Sample[]>> {
  const samples = Object.fromEntries(subjects.map((name) => [name, [] as Sample[]])) as Record<
    Name,
    Sample[]
  >;
  for (let round = 0; round <= rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const sample = await measure(subject, round);
      if (round > 0) samples[subject].push(sample);
    }
  }
  return samples;
}
