#!/usr/bin/env node
/** The command `convene`. Its subcommands are listed in `commands.ts`. */
import process from "node:process";
import { ConveneError, VERSION } from "../client/mod.ts";
import { readCommand } from "./arguments.ts";
import { type Hints, hintsOf } from "./command.ts";
import { commandOf, commands } from "./commands.ts";
import { EXIT, TimeOver } from "./exit.ts";
import { help, helpOf } from "./help.ts";
import type { Input } from "./input.ts";
import { unknownCommand } from "./near_names.ts";
import { print, printLines, remark } from "./print.ts";
import { tokenHint } from "./token_hint.ts";
import { UsageError } from "./values.ts";
import { hintOf } from "./words.ts";

/** What is no command, and has no help of its own. */
const NOT_LISTED = ["", "help", "version"];

async function main(args: string[]): Promise<number> {
  const [name = "help", about = ""] = args;
  if (["help", "--help", "-h"].includes(name)) {
    const command = commandOf(about);
    if (!command && !about.startsWith("-") && !NOT_LISTED.includes(about)) {
      throw new UsageError(unknownCommand([about], Object.keys(commands)));
    }
    printLines((command ? helpOf(about, command) : help(commands)).split("\n"));
    return EXIT.done;
  }
  if (["version", "--version"].includes(name)) {
    print(VERSION);
    return EXIT.done;
  }
  const command = commandOf(name);
  if (command === undefined) throw new UsageError(unknownCommand(args, Object.keys(commands)));
  const options = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined); // the rest is the program's
  if (options.includes("--help") || options.includes("-h")) {
    printLines(helpOf(name, command).split("\n"));
    return EXIT.done;
  }
  let input: Input | undefined;
  try {
    input = readCommand(name, command, args.slice(1), process.env);
    return await command.run(input) ?? EXIT.done;
  } catch (error) {
    return report(error, { name, own: input && hintsOf(command, input), input });
  }
}

/** What is known of the command that failed. */
interface Failing {
  name?: string;
  own?: Hints;
  input?: Input;
}

function report(error: unknown, failing: Failing = {}): number {
  const { name, own, input } = failing;
  if (error instanceof UsageError) {
    remark(`convene: ${error.message}`);
    remark(`convene help${name === undefined ? "" : ` ${name}`} tells how.`);
    return EXIT.usage;
  }
  if (error instanceof TimeOver) {
    report(error.cause, failing);
    return EXIT.timedOut;
  }
  if (error instanceof ConveneError) {
    remark(`convene: ${error.message} (${error.code})`);
    const ofToken = input && tokenHint(input, error.code);
    if (ofToken) remark(ofToken);
    const hint = hintOf(error, own);
    if (hint) remark(hint);
    // The message is that of the first issue.
    if (Array.isArray(error.body.issues)) {
      for (const { path, message } of error.body.issues.slice(1)) remark(`${path.join(".")}: ${message}`);
    }
    return EXIT.failed;
  }
  remark(`convene: ${error instanceof Error ? error.message : error}`);
  return EXIT.failed;
}

// A reader that closes the pipe (`| head -1`) ends the command without a failure. One that has something to give back
// before it ends listens for SIGTERM.
process.stdout.on("error", () => {
  if (!process.emit("SIGTERM")) process.exit(EXIT.done);
});
// Not process.exit, which may drop pending output.
process.exitCode = await main(process.argv.slice(2)).catch((error) => report(error));
