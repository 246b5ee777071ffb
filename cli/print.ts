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

/** What a command is asked to print: with --json whole answers. */
type Asked = { json: boolean };

/** Prints an answer: its line, or all of it. */
export function tell({ json }: Asked, answer: unknown, line: string | number): void {
  print(json ? JSON.stringify(answer) : line);
}

/** Prints a list: a line for each, or all of it. Makes the lines in any case, which checks the members. */
export function tellList<Item>({ json }: Asked, list: Item[], lineOf: (item: Item) => string): void {
  const lines = list.map(lineOf);
  printLines(json ? [JSON.stringify(list)] : lines);
}

/** Says something on stderr, escaped as `print` does. */
export function remark(text: string): void {
  console.error(plain(text));
}

/** Says on stderr if the agent of an answer is not registered. */
export function remarkUnregistered(
  { notice }: { notice?: "agent_not_registered" },
  unseen = "others do not find it among the agents",
): void {
  if (notice) remark(`convene: This agent is not registered (convene join): ${unseen}.`);
}
