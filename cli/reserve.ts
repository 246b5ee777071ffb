import { ConveneError, type Reservation } from "../client/mod.ts";
import { type Command, flag, text } from "./command.ts";
import { TimeOver } from "./exit.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { shown } from "./plain.ts";
import { remarkUnregistered, tell, tellList } from "./print.ts";
import { toldWaiting } from "./reach.ts";
import { UsageError } from "./values.ts";

export const reserve: Command = {
  usage: "[glob...] [--shared] [--ttl 15m] [--note NOTE] [--timeout 10m] [--path PATH] [--text]",
  about:
    "Reserve paths for --agent, all or none; prints id and fence. Exits with 1 if others have some of them, " +
    "with 124 if they still do after --timeout. Without globs: print the reservations, those of --path.",
  options: { shared: flag, ttl: text, note: text, timeout: text, path: text, text: flag },
  words: [0, 20],
  hints: (input) =>
    input.text("timeout") === undefined
      ? {}
      : { reserved: "Wait longer with --timeout, or see who has them: convene reserve --path PATH." },
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
    remarkUnregistered(reservation);
    tell(input, reservation, `${reservation.id} (fence ${reservation.fence})`);
  },
};

async function list(input: Input): Promise<void> {
  for (const name of ["shared", "ttl", "note", "timeout", "text"]) {
    if (input.flags[name] !== undefined) {
      throw new UsageError(`Which paths? --${name} is for new reservations.`);
    }
  }
  tellList(input, await input.room.reservations.list({ path: input.text("path") }), lineOf);
}

/** The members that a line has. */
const SHOWN = ["id", "agent", "paths", "expires_at", "note"] as const;

/** Formats a reservation on one line: `<id>: ada has src/** docs/** (shared) until ...: note`. */
export function lineOf(reservation: Reservation): string {
  const { id, agent, paths, mode, expires_at, note } = having(reservation, ...SHOWN);
  const shared = mode === "shared" ? " (shared)" : "";
  const why = note === null ? "" : `: ${shown(note)}`;
  return `${id}: ${agent} has ${paths.join(" ")}${shared} until ${expires_at}${why}`;
}
