import { ConveneError, type Reservation } from "../client/mod.ts";
import type { Command } from "./command.ts";
import { EXIT, TimeOver } from "./exit.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { tellNotice } from "./notice.ts";
import { json, plain, shown } from "./plain.ts";
import { print, printLines } from "./print.ts";
import { toldWaiting } from "./reach.ts";
import { UsageError } from "./values.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

export const reserve: Command = {
  usage: "[glob...] [--shared] [--ttl 15m] [--note NOTE] [--timeout 10m] [--path PATH] [--text]",
  about:
    "Reserve paths for --agent, all or none; prints id and fence. Exits with 1 if others have some of them, " +
    "with 124 if they still do after --timeout. Without globs: print the reservations, those of --path.",
  options: { shared: flag, ttl: text, note: text, timeout: text, path: text, text: flag },
  words: [0, 20],
  async run(input) {
    if (input.words.length === 0) return await list(input);
    if (input.text("path") !== undefined) throw new UsageError("--path is for the list, without globs.");
    const note = input.text("note");
    const timeout = input.duration("timeout") ?? 0;
    const reserving = input.room.reservations.reserve(input.words, {
      agent: input.actor,
      mode: input.flags.shared === true ? "shared" : undefined,
      ttl: input.seconds("ttl"),
      note: note === undefined ? undefined : input.value(note),
      timeout,
    });
    const made = await toldWaiting(input.words.join(" "), reserving).catch((cause) => {
      const isOver = timeout > 0 && cause instanceof ConveneError && cause.code === "reserved";
      throw isOver ? new TimeOver("The paths are not free.", { cause }) : cause;
    });
    const reservation = having(made, "id", "fence");
    tellNotice(reservation);
    print(input.json ? json(reservation) : plain(`${reservation.id} (fence ${reservation.fence})`));
    return EXIT.done;
  },
};

async function list(input: Input): Promise<number> {
  for (const name of ["shared", "ttl", "note", "timeout", "text"]) {
    if (input.flags[name] !== undefined) {
      throw new UsageError(`Which paths? --${name} is for new reservations.`);
    }
  }
  const reservations = await input.room.reservations.list({ path: input.text("path") });
  const lines = reservations.map(lineOf);
  if (input.json) print(json(reservations));
  else printLines(lines);
  return EXIT.done;
}

/** Formats a reservation on one line: `<id>: ada has src/** docs/** (shared) until ...: note`. */
export function lineOf(reservation: Reservation): string {
  const { id, agent, paths, mode, expires_at, note } = having(
    reservation,
    "id",
    "agent",
    "paths",
    "expires_at",
    "note",
  );
  const shared = mode === "shared" ? " (shared)" : "";
  return plain(`${id}: ${agent} has ${paths.join(" ")}${shared} until ${expires_at}`) +
    (note === null ? "" : `: ${shown(note)}`);
}
