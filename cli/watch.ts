import process from "node:process";
import type { Changes, Deleted } from "../client/mod.ts";
import { type Command, text } from "./command.ts";
import { having } from "./having.ts";
import { lineOf as messageLine } from "./messages.ts";
import { printLines } from "./print.ts";
import { lineOf as reservationLine } from "./reserve.ts";
import { agentLine, type Picture, screenOf, take } from "./screen.ts";
import { lineOf as entryLine } from "./state.ts";

export const watch: Command = {
  usage: "[--after REVISION|now]",
  about: "Show the room live: agents and what they wait for, the last messages, the state. Ctrl-C ends it. " +
    "Without a terminal, or with --json, each change is a line. --after starts after a revision, or now.",
  options: { after: text },
  words: [0, 0],
  async run(input) {
    const stop = new AbortController();
    const leave = () => stop.abort();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, leave);
    const changes = input.room.follow({ after: input.after, signal: stop.signal });
    try {
      if (process.stdout.isTTY && !input.json) {
        await draw(input.room.id, changes, !input.environment.NO_COLOR);
        return;
      }
      for await (const change of changes) {
        const lines = linesOf(change);
        printLines(input.json ? [JSON.stringify(change)] : lines);
      }
    } finally {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, leave);
    }
  },
};

/** Draws on the terminal's alternate screen, and restores the previous contents at the end. */
async function draw(room: string, changes: AsyncIterable<Changes>, color: boolean): Promise<void> {
  const picture: Picture = {
    room,
    agents: new Map(),
    state: new Map(),
    reservations: new Map(),
    messages: [],
  };
  const { stdout } = process;
  const show = () => {
    const lines = screenOf(picture, { width: stdout.columns || 80, height: stdout.rows || 24, color });
    stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
  };
  stdout.write("\x1b[?1049h\x1b[?25l");
  stdout.on("resize", show);
  try {
    for await (const change of changes) {
      take(picture, having(change, ...PARTS));
      if (!change.more) show();
    }
  } finally {
    stdout.off("resize", show);
    stdout.write("\x1b[?25h\x1b[?1049l");
  }
}

/** What a change has in any case. */
const PARTS = ["agents", "state", "messages"] as const;

function linesOf(changes: Changes): string[] {
  const { agents, state, messages, reservations = [], room, reset } = having(changes, ...PARTS);
  return [
    ...(reset ? ["-- the room has gone back: all of it from the start"] : []),
    ...(room ? [`meta = ${JSON.stringify(room.meta)}`] : []),
    ...agents.map((agent) => "left" in agent ? `@${having(agent, "id").id} left` : `@${agentLine(agent)}`),
    ...state.map((entry) => "deleted" in entry ? deletedLine(entry) : entryLine(entry)),
    ...reservations.map((reservation) =>
      "ended" in reservation
        ? `reservation ${having(reservation, "id").id} ended`
        : reservationLine(reservation)
    ),
    ...messages.map((message) => `#${messageLine(message)}`),
  ];
}

function deletedLine(entry: Deleted): string {
  const { scope, key } = having(entry, "scope", "key");
  return `${scope}/${key} deleted`;
}
