/** The media type of Prometheus's text format, version 0.0.4. */
export const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

/** A figure, or several that differ by labels. */
export interface Family {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  samples: Sample[];
}

interface Sample {
  labels: Record<string, string>;
  value: number;
  /** What stands behind the family's name. */
  suffix?: "_bucket" | "_sum" | "_count";
}

/** Makes the samples of a histogram from the counts between `bounds`, the last of which is beyond them all. */
export function histogram(
  labels: Record<string, string>,
  bounds: number[],
  counts: number[],
  sum: number,
): Sample[] {
  let total = 0;
  const buckets = counts.map((count, n): Sample => ({
    suffix: "_bucket",
    labels: { ...labels, le: n < bounds.length ? String(bounds[n]) : "+Inf" },
    value: total += count,
  }));
  return [...buckets, { suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: total }];
}

export function textOf(families: Family[]): string {
  return families.map(({ name, help, type, samples }) =>
    `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${
      samples.map((sample) => lineOf(name, sample)).join("")
    }`
  ).join("");
}

function lineOf(name: string, { suffix, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) =>
    `${label}="${escaped(text).replaceAll('"', '\\"')}"`
  );
  return `${name}${suffix ?? ""}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
