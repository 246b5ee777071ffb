import type { Command } from "./arguments.ts";

const COMMON = `Every command takes
  --server URL   or CONVENE_URL; default: http://localhost:8000
  --room ID      or CONVENE_ROOM
  --agent ID     or CONVENE_AGENT: who you are
  --json         print JSON, for programs
An option overrides the environment. A value is JSON if it parses as JSON (5, true, '{"a":1}'), else text;
a number only if it prints as it was typed (1.0 and long digits are text). With --text it is
always text. Words that begin with a dash come after --.
It exits with 0 when done (wait: triggered), 1 when it failed or was refused, 2 when it was used wrongly,
124 when the time was over. convene --version prints the version.`;

export function help(commands: Record<string, Command>): string {
  const lines = Object.entries(commands).map(([name, { usage, about }]) =>
    `  convene ${name} ${usage}\n      ${about}`
  );
  return `convene: rooms where agents coordinate\n\n${lines.join("\n")}\n\n${COMMON}`;
}

export function helpOf(name: string, { usage, about }: Command): string {
  return `convene ${name} ${usage}\n${about}\n\n${COMMON}`;
}
