import process from "node:process";
import { plain } from "./plain.ts";

/**
 * Prints a line. Escapes what a terminal would obey, since a hostile service sends text where a number belongs.
 * On Deno, `console.log` does not report a closed pipe.
 */
export function print(line: string | number): void {
  process.stdout.write(`${plain(String(line))}\n`);
}

/** Prints lines, each as `print` does. */
export function printLines(lines: string[]): void {
  for (const line of lines) print(line);
}
