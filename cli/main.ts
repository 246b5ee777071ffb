#!/usr/bin/env node
/** The command: one file for each of its verbs, which stand in `commands.ts`. */
import process from "node:process";
import { ConveneError, VERSION } from "../client/mod.ts";
import { commands } from "./commands.ts";
import { readCommand } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { help, helpOf } from "./help.ts";
import { plain } from "./plain.ts";
import { UsageError } from "./values.ts";

async function main(args: string[]): Promise<number> {
  const [name = "help"] = args;
  if (["help", "--help", "-h"].includes(name)) {
    const command = commands[args[1] ?? ""];
    console.log(command ? helpOf(args[1]!, command) : help(commands));
    return EXIT.done;
  }
  if (["version", "--version"].includes(name)) {
    console.log(VERSION);
    return EXIT.done;
  }
  const command = commands[name];
  if (command === undefined) throw new UsageError(`There is no command ${name}.`);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(helpOf(name, command));
    return EXIT.done;
  }
  return await command.run(readCommand(name, command, args.slice(1), process.env));
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`convene: ${plain(error.message)}\nconvene help tells how.`);
    return EXIT.usage;
  }
  if (error instanceof ConveneError) {
    console.error(`convene: ${plain(error.message)} (${plain(error.code)})`);
    if (error.hint) console.error(plain(error.hint));
    if (Array.isArray(error.body.issues)) {
      for (const { path, message } of error.body.issues) {
        console.error(plain(`${path.join(".")}: ${message}`));
      }
    }
    return EXIT.failed;
  }
  console.error(`convene: ${plain(error instanceof Error ? error.message : String(error))}`);
  return EXIT.failed;
}

// A reader that has enough (`| head -1`) ends the command, and is no failure.
process.stdout.on("error", () => process.exit(EXIT.done));
// Not process.exit: what is still to be written is written.
process.exitCode = await main(process.argv.slice(2)).catch(report);
