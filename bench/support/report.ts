export type Cell = string | number | undefined;

export interface Table {
  title: string;
  rows: Record<string, Cell>[];
}

export interface Target {
  what: string;
  value: number;
  least?: number;
  most?: number;
  unit: string;
  reached: boolean;
}

export interface Results {
  name: string;
  quick: boolean;
  tables: Table[];
  targets: Target[];
}

/** True with `--quick`: a run of seconds, which shows that everything works and gives no reliable figure. */
export const quick: boolean = Deno.args.includes("--quick");

/** The results of one benchmark: printed as they come, written as JSON at the end. */
export class Report {
  readonly #results: Results;

  constructor(name: string) {
    this.#results = { name, quick, tables: [], targets: [] };
    console.log(`\n# ${name}${quick ? " (quick)" : ""}`);
  }

  table(title: string, rows: Record<string, Cell>[]): void {
    this.#results.tables.push({ title, rows });
    console.log(`\n${title}\n${aligned(rows)}`);
  }

  /** A figure beside what it is to reach: `least`, or `most`. */
  target(what: string, value: number, limit: { least?: number; most?: number }, unit = ""): void {
    const reached = Number.isFinite(value) && value >= (limit.least ?? -Infinity) &&
      value <= (limit.most ?? Infinity);
    this.#results.targets.push({ what, value, ...limit, unit, reached });
  }

  /** Prints the targets and writes `results/<name>.json`. */
  async finish(): Promise<void> {
    const { name, targets } = this.#results;
    if (targets.length > 0) console.log(`\ntargets\n${aligned(targets.map(targetRow))}`);
    const file = new URL(`../results/${name}.json`, import.meta.url);
    await Deno.writeTextFile(file, JSON.stringify(this.#results, null, 2) + "\n");
  }
}

/** A target as a row of a table. */
export function targetRow({ what, value, least, most, unit, reached }: Target): Record<string, Cell> {
  return {
    what,
    measured: `${shown(value)}${unit}`,
    target: least === undefined ? `<= ${shown(most)}${unit}` : `>= ${shown(least)}${unit}`,
    "": reached ? "ok" : "not reached",
  };
}

/** A table as lines of text: words to the left, numbers to the right. */
export function aligned(rows: Record<string, Cell>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => {
    const cells = rows.map((row) => shown(row[name]));
    const width = Math.max(name.length, ...cells.map((cell) => cell.length));
    const numeric = rows.some((row) => typeof row[name] === "number");
    return [name, ...cells].map((cell) => numeric ? cell.padStart(width) : cell.padEnd(width));
  });
  const lines = [names, ...rows].map((_, line) => "  " + columns.map((cells) => cells[line]).join("  "));
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** Three digits that count, or the whole part of what is larger. */
function shown(cell: Cell): string {
  if (typeof cell !== "number") return cell ?? "-";
  if (Number.isInteger(cell)) return String(cell);
  const size = Math.abs(cell);
  return cell.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
