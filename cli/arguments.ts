import { parseArgs, type ParseArgsConfig } from "node:util";
import { connect, type Convene, type Json, type Room } from "../client/mod.ts";

/** What was typed makes no sense: the command ends with 2. */
export class UsageError extends Error {}

export interface Command {
  /** What comes after its name: `<condition>`. */
  usage: string;
  /** What it does, in a line. */
  about: string;
  /** Its own flags; `--server`, `--room`, `--agent` and `--json` are those of all. */
  options?: NonNullable<ParseArgsConfig["options"]>;
  /** How many words may follow, at the least and at the most. */
  words: [least: number, most: number];
  run(input: Input): Promise<number>;
}

type Flag = string | boolean | undefined;

/** What the command was given. */
export class Input {
  constructor(
    readonly words: string[],
    readonly flags: Record<string, Flag>,
    readonly environment: Record<string, string | undefined>,
  ) {}

  get json(): boolean {
    return this.flags.json === true;
  }

  get server(): Convene {
    const url = this.text("server") ?? (this.environment.CONVENE_URL || "http://localhost:8000");
    if (!URL.canParse(url)) throw new UsageError(`${url} is no address: say --server http://host:port.`);
    return connect(url);
  }

  /** The room, seen by the agent where there is one. */
  get room(): Room {
    const id = this.text("room") ?? this.environment.CONVENE_ROOM;
    if (!id) throw new UsageError("Which room? Say --room ID or set CONVENE_ROOM.");
    return this.server.room(id, { agent: this.agent });
  }

  get agent(): string | undefined {
    return (this.text("agent") ?? this.environment.CONVENE_AGENT) || undefined;
  }

  text(flag: string): string | undefined {
    const value = this.flags[flag];
    return typeof value === "string" ? value : undefined;
  }

  number(flag: string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    if (!/^-?\d+(\.\d+)?$/.test(text)) throw new UsageError(`--${flag} takes a number, not ${text}.`);
    return Number(text);
  }

  /** Milliseconds. `90` is seconds, as are `90s`; also `500ms`, `5m`, `2h`, `1d`. */
  duration(flag: string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    const [, count, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
    if (count === undefined) throw new UsageError(`--${flag} takes a time like 90s, 5m or 2h, not ${text}.`);
    return Number(count) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit]!;
  }

  /** A value as it was typed: JSON if it is JSON, else text. With --text always text. */
  value(typed: string): Json {
    if (this.flags.text === true) return typed;
    try {
      return JSON.parse(typed);
    } catch {
      return typed;
    }
  }
}

const COMMON: NonNullable<ParseArgsConfig["options"]> = {
  server: { type: "string" },
  room: { type: "string" },
  agent: { type: "string" },
  json: { type: "boolean" },
};

export function readCommand(
  name: string,
  command: Command,
  args: string[],
  environment: Record<string, string | undefined>,
): Input {
  const { values, positionals } = parsed(args, { ...COMMON, ...command.options });
  const [least, most] = command.words;
  if (positionals.length < least || positionals.length > most) {
    throw new UsageError(`This is how: convene ${name} ${command.usage}`);
  }
  return new Input(positionals, values as Record<string, Flag>, environment);
}

function parsed(args: string[], options: NonNullable<ParseArgsConfig["options"]>) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
