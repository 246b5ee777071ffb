import type { Include } from "../client/mod.ts";
import { type Command, text } from "./command.ts";
import { EXIT } from "./exit.ts";
import { having } from "./having.ts";
import { shown, worded } from "./plain.ts";
import { print, remark, remarkUnregistered } from "./print.ts";

export const wait: Command = {
  usage: "<CEL> [--timeout 2h] [--include state,agents,messages,messages:after:ID]",
  about: "Block until the condition is true, even for hours; prints its value, with --json or " +
    "--include the whole answer. Exits with 124 after --timeout (90s, 5m, 2h).",
  options: { timeout: text, include: text },
  words: [1, 1],
  async run(input) {
    const include = input.text("include")?.split(",").map((name) => name.trim()) as Include[] | undefined;
    const timeout = input.duration("timeout") ?? Infinity;
    const outcome = await input.room.until(input.words[0]!, { include, timeout });
    if (outcome.triggered) having(outcome, "value");
    const whole = input.json || include !== undefined;
    if (whole) print(JSON.stringify(outcome));
    remarkUnregistered(outcome, "others do not see that it waits");
    if (!outcome.triggered) {
      const failure = { message: "The condition is false.", ...outcome.last_error };
      if (!whole) remark(`convene: The time is over. ${worded(failure)}`);
      return EXIT.timedOut;
    }
    if (!whole) print(shown(outcome.value));
  },
};
