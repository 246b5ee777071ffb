import type { Command } from "./arguments.ts";

const COMMON = `Every command takes
  --server URL   or CONVENE_URL; http://localhost:8000 by default
  --room ID      or CONVENE_ROOM
  --agent ID     or CONVENE_AGENT: who you are; by default the agent whose token is kept
  --json         print JSON, for programs
and the token of CONVENE_TOKEN, else the one that join and room keep in ~/.config/convene for this
server and room. There is no flag for it, since others on this machine see the flags of programs.
A flag overrides the environment. A value is JSON if it parses as JSON (5, true, '{"a":1}'), else text;
a number only if JSON would write it in the same way (1.0 and long digits are text). With --text it is
always text. Put arguments that begin with a dash after --.
Exit code: 0 done (wait: triggered), 1 failed or refused, 2 used wrongly, 124 timed out.
convene --version prints the version.`;

export function help(commands: Record<string, Command>): string {
  const lines = Object.entries(commands).map(([name, { usage, about }]) =>
    `  convene ${name} ${usage}\n      ${about}`
  );
  return `convene: rooms where agents coordinate\n\n${lines.join("\n")}\n\n${COMMON}`;
}

export function helpOf(name: string, { usage, about }: Command): string {
  return `convene ${name} ${usage}\n${about}\n\n${COMMON}`;
}
