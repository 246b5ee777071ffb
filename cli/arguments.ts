import { parseArgs } from "node:util";
import { type Command, flag, type Options, text } from "./command.ts";
import { type Flags, Input } from "./input.ts";
import { nearest } from "./near_names.ts";
import { UsageError } from "./values.ts";

/** The options that every command takes. */
const COMMON: Options = {
  server: text,
  room: text,
  agent: text,
  json: flag,
};

export function readCommand(
  name: string,
  command: Command,
  args: string[],
  environment: Record<string, string | undefined>,
): Input {
  const { values, positionals } = parsed(args, { ...COMMON, ...command.options });
  const [min, max] = command.words;
  if (positionals.length < min || positionals.length > max) {
    const quotes = positionals.length > max && max > 0 ? "A word with spaces stands in quotes: '...'. " : "";
    throw new UsageError(`${quotes}This is how: convene ${name} ${command.usage}`);
  }
  return new Input(positionals, values as Flags, environment);
}

function parsed(args: string[], options: Options) {
  const { tokens, ...read } = parseArgs({ args, options, strict: false, tokens: true });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (!Object.hasOwn(options, token.name)) {
      throw new UsageError(unknownOption(token.rawName, Object.keys(options)));
    }
    if (seen.has(token.name)) throw new UsageError(`${token.rawName} stands twice.`);
    seen.add(token.name);
  }
  for (const token of tokens) if (token.kind === "option") checkValue(token, options[token.name]!.type);
  return read;
}

/** Refuses an option that lacks its value, or has one that it does not take. */
function checkValue(
  { rawName, value, inlineValue }: { rawName: string; value?: string; inlineValue?: boolean },
  type: "string" | "boolean",
): void {
  if (type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`);
  } else if (value === undefined) {
    throw new UsageError(`${rawName} takes a value.`);
  } else if (value.startsWith("-") && !inlineValue) {
    throw new UsageError(
      `${rawName} takes a value; one that begins with a dash is written ${rawName}=${value}.`,
    );
  }
}

/** Options by which other programs take a token. */
const SECRETS = ["token", "bearer", "auth", "password"];

function unknownOption(typed: string, known: string[]): string {
  if (SECRETS.includes(typed.replace(/^-+/, ""))) {
    return `There is no option ${typed}, since others on this machine see the options of programs: set CONVENE_TOKEN.`;
  }
  const near = nearest(typed, known);
  const hint = near ? `Did you mean --${near}?` : `There are ${known.map((name) => `--${name}`).join(", ")}.`;
  const dash = typed.startsWith("--") ? "" : " A word that begins with a dash comes after --.";
  return `There is no option ${typed}. ${hint}${dash}`;
}
