import process from "node:process";

/** Prints a line. On Deno, `console.log` does not report a closed pipe. */
export function print(line: string | number): void {
  process.stdout.write(`${line}\n`);
}
