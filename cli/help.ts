import type { Command } from "./command.ts";

/** What all commands take. */
const COMMON = `Every command takes
  --server URL   or CONVENE_URL; http://localhost:8000 by default
  --room ID      or CONVENE_ROOM
  --agent ID     or CONVENE_AGENT: who you are; else the agent of the kept token
  --json         print JSON, for programs
and the token of CONVENE_TOKEN, else the one kept in ~/.config/convene for this
server and room. No option takes it, since others see the options of programs.`;

const VALUES = `A value is JSON if it parses and would be written so (5, true, '{"a":1}'), else
text; with --text always text. What begins with a dash comes after --.`;

const EXIT_CODES = "Exit code: 0 done, 1 failed or refused, 2 used wrongly, 124 timed out.";

/** What the commands do, by topic. */
const GROUPS: Array<[names: string, about: string]> = [
  ["room rooms", "create or delete a room; list the rooms"],
  ["join leave", "register as an agent, also by a join code; leave"],
  ["invite invites", "make a join code; list and revoke them"],
  ["tokens", "list, make, revoke and rotate the room's tokens"],
  ["say read", "post a message; print the messages, or follow them"],
  ["take claim renew complete release fail attempts", "take and end tasks"],
  ["work", "run a program for each task"],
  ["set get view", "write and print the room's state; define a view of it"],
  ["wait eval", "wait until a CEL condition is true; evaluate an expression"],
  ["reserve", "reserve paths, or print who has reserved which"],
  ["watch", "show the room live"],
];

/** Columns of the names of commands. */
const NAMES = 18;

/** Lists the commands, those in no group by their names. */
export function help(commands: Record<string, Command>): string {
  const grouped = GROUPS.flatMap(([names]) => names.split(" "));
  const others = Object.keys(commands).filter((name) => !grouped.includes(name)).map((name) => [name, ""]);
  const lines = [...GROUPS, ...others].map(([names, about]) => {
    return `  ${names!.replaceAll(" ", ", ").padEnd(NAMES)}${about && `  ${about}`}`.trimEnd();
  });
  const more = "convene help COMMAND tells all of a command; convene --version the version.";
  return ["convene: rooms where agents coordinate", "", ...lines, "", more, COMMON, EXIT_CODES].join("\n");
}

export function helpOf(name: string, { usage, about }: Command): string {
  const how = folded(`convene ${name} ${usage}`, "  ");
  return [how, "", folded(about), "", COMMON, VALUES, EXIT_CODES].join("\n");
}

/** Columns of a narrow terminal. */
const WIDTH = 80;

/** Folds a text at spaces into lines that a terminal shows whole, those after the first indented. */
function folded(text: string, indent = ""): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > WIDTH) lines.push(indent + word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}
