import type { Include } from "../client/mod.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit.ts";
import { having } from "./having.ts";
import { tellNotice } from "./notice.ts";
import { json, plain, sentence, shown } from "./plain.ts";
import { print } from "./print.ts";

export const wait: Command = {
  usage: "<CEL> [--timeout 2h] [--include state,agents,messages,messages:after:ID]",
  about: "Block until the condition is true, even for hours; prints its value, with --json or " +
    "--include the whole answer. Exits with 124 after --timeout (90s, 5m, 2h).",
  options: { timeout: { type: "string" }, include: { type: "string" } },
  words: [1, 1],
  async run(input) {
    const include = input.text("include")?.split(",").map((name) => name.trim()) as Include[] | undefined;
    const timeout = input.duration("timeout") ?? Infinity;
    const outcome = await input.room.until(input.words[0]!, { include, timeout });
    if (outcome.triggered) having(outcome, "value");
    const whole = input.json || include !== undefined;
    if (whole) print(json(outcome));
    tellNotice(outcome, "others do not see that it waits");
    if (outcome.triggered) {
      if (!whole) print(shown(outcome.value));
      return EXIT.done;
    }
    const { message = "The condition is false.", hint } = outcome.last_error ?? {};
    if (!whole) {
      console.error(plain(`convene: The time is over. ${sentence(message)}${hint ? ` ${hint}` : ""}`));
    }
    return EXIT.timedOut;
  },
};
