import process from "node:process";

/** Prints a line. On Deno, `console.log` does not tell that nobody reads it any more. */
export function print(line: string | number): void {
  process.stdout.write(`${line}\n`);
}
