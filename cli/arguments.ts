import { parseArgs, type ParseArgsConfig } from "node:util";
import { distance } from "fastest-levenshtein";
import { type KeptToken, keptToken } from "./kept_tokens.ts";
import { PATIENCE, reachingFetch } from "./reach.ts";
import { readValue, UsageError } from "./values.ts";
import { type After, connect, type Convene, type ErrorCode, type Json, type Room } from "../client/mod.ts";

export interface Command {
  /** The words and options after its name: `<condition>`. */
  usage: string;
  /** What it does, in a line. */
  about: string;
  /** Its own options, beside the common ones. */
  options?: NonNullable<ParseArgsConfig["options"]>;
  /** The number of words that follow. */
  words: [min: number, max: number];
  /** What to do about its errors, where that differs from other commands. */
  hints?: Partial<Record<ErrorCode, string>>;
  run(input: Input): Promise<number>;
}

type Flag = string | boolean | undefined;

/** The fewest characters that an operator's token has; it has no form. */
const MIN_OPERATOR_TOKEN = 32;

/** The parsed arguments and the environment of a command. */
export class Input {
  /** The room of the last request, whose token went along if there is one. */
  asked?: string;

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
    try {
      return connect(url, { fetch: reachingFetch(url.replace(/\/+$/, "")), patience: PATIENCE });
    } catch (error) {
      throw new UsageError(`${(error as Error).message} Say --server http://host:port or set CONVENE_URL.`);
    }
  }

  get roomId(): string | undefined {
    return (this.text("room") ?? this.environment.CONVENE_ROOM) || undefined;
  }

  /** The id of the room, for commands that need one. */
  get neededRoom(): string {
    const id = this.roomId;
    if (id === undefined) throw new UsageError("Which room? Say --room ID or set CONVENE_ROOM.");
    return id;
  }

  /** The room, for the agent if one is given, under the token of `CONVENE_TOKEN` or the one that is kept for it. */
  get room(): Room {
    const id = this.neededRoom;
    return this.serverFor(id).room(id, { agent: this.agent });
  }

  /** The service, under the token that may count for a room: `CONVENE_TOKEN`, else the one that is kept for it. */
  serverFor(id?: string): Convene {
    const { server } = this;
    this.asked = id;
    const token = this.#tokenFor(id);
    if (token === undefined) return server;
    const { url, options } = server.connection;
    try {
      return connect(url, { ...options, token });
    } catch {
      throw new UsageError("CONVENE_TOKEN holds no token: set it to one as it was given, or to nothing.");
    }
  }

  /** The token of `CONVENE_TOKEN`, of a room or the operator's. What is none would be ignored, and nobody would act. */
  get givenToken(): string | undefined {
    const given = this.environment.CONVENE_TOKEN;
    if (!given || given.startsWith("cvn_") || given.length >= MIN_OPERATOR_TOKEN) return given;
    throw new UsageError(
      "CONVENE_TOKEN holds no token: those of rooms begin with cvn_. Set it to one as it was given, or to nothing.",
    );
  }

  /** A token of a room counts in no other than the one that is named; the operator's counts everywhere. */
  #tokenFor(id?: string): string | undefined {
    const given = this.givenToken;
    if (given === undefined) return this.keptFor(id)?.token;
    return given === "" || given.startsWith("cvn_") && id !== this.roomId ? undefined : given;
  }

  /** The token that is kept for the room that is named. */
  get kept(): KeptToken | undefined {
    return this.keptFor(this.roomId);
  }

  /** The token that is kept for a room; undefined where `CONVENE_TOKEN` is set, if to nothing. */
  keptFor(id?: string): KeptToken | undefined {
    if (id === undefined || this.environment.CONVENE_TOKEN !== undefined) return undefined;
    return keptToken(this.environment, this.server.connection.url, id);
  }

  /** Who acts, as the caller says. */
  get named(): string | undefined {
    return (this.text("agent") ?? this.environment.CONVENE_AGENT) || undefined;
  }

  /** Who acts: by default the agent whose token is kept. */
  get agent(): string | undefined {
    return this.named ?? this.kept?.agent;
  }

  /** Who acts, for commands that need an agent. */
  get actor(): string {
    if (this.agent === undefined) throw new UsageError("Who are you? Say --agent ID or set CONVENE_AGENT.");
    return this.agent;
  }

  text(flag: string): string | undefined {
    const value = this.flags[flag];
    return typeof value === "string" ? value : undefined;
  }

  number(flag: string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (!/^-?\d+(\.\d+)?$/.test(text) || Math.abs(number) > Number.MAX_SAFE_INTEGER) {
      throw new UsageError(`--${flag} takes a number, not ${text}.`);
    }
    return number;
  }

  /** Where following begins: `--after` a revision, or `--after now`. */
  get after(): After | undefined {
    return this.text("after") === "now" ? "now" : this.number("after");
  }

  /** Milliseconds of `500ms`, `90s`, `5m`, `2h` or `1d`. A number without a unit is in seconds. */
  duration(flag: string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    const [, count, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
    if (count === undefined) throw new UsageError(`--${flag} takes a time like 90s, 5m or 2h, not ${text}.`);
    return Number(count) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit]!;
  }

  /** Seconds, as `duration` reads them. */
  seconds(flag: string): number | undefined {
    const ms = this.duration(flag);
    return ms === undefined ? undefined : ms / 1_000;
  }

  /** The value of a word: JSON if it parses as JSON, else text. With --text always text. */
  value(typed: string): Json {
    return this.flags.text === true ? typed : readValue(typed);
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
  const [min, max] = command.words;
  if (positionals.length < min || positionals.length > max) {
    throw new UsageError(`This is how: convene ${name} ${command.usage}`);
  }
  return new Input(positionals, values as Record<string, Flag>, environment);
}

function parsed(args: string[], options: NonNullable<ParseArgsConfig["options"]>) {
  const config = { args, options, allowPositionals: true } as const;
  const { tokens } = parseArgs({ ...config, strict: false, tokens: true });
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
  return parseArgs({ ...config, strict: true });
}

interface OptionToken {
  rawName: string;
  value?: string;
  inlineValue?: boolean;
}

/** Refuses an option that lacks its value, or has one that it does not take. */
function checkValue({ rawName, value, inlineValue }: OptionToken, type: "string" | "boolean"): void {
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

/** Synonyms of commands, which the edit distance does not find. */
const MEANT: Record<string, string> = {
  complete: "done finish",
  eval: "expr cel",
  get: "state show",
  invite: "code link",
  invites: "invitations codes",
  join: "agent register enter",
  leave: "quit unregister",
  read: "messages log inbox",
  release: "unreserve unclaim",
  reserve: "reservations reservation paths",
  room: "create open delete",
  rooms: "list",
  say: "send post message tell",
  set: "put write update increment",
  take: "next pull",
  tokens: "token rotate revoke",
  view: "views define",
  wait: "until await",
  watch: "follow events live status agents",
  work: "worker run tasks",
};

/** The error for a first word that is no command. */
export function unknownCommand([typed = "", ...others]: string[], known: string[]): string {
  if (typed.startsWith("-")) {
    const command = others.find((word) => known.includes(word)) ?? "COMMAND";
    return `The command comes first, its options behind it: convene ${command} ${typed} ...`;
  }
  const word = typed.toLowerCase();
  const near = known.find((name) => MEANT[name]?.split(" ").includes(word)) ?? nearest(word, known);
  const hint = near ? `Did you mean ${near}?` : `There are ${known.join(", ")}.`;
  return `There is no command ${typed}. ${hint}`;
}

/** The maximum edit distance of a name from the one that was meant. */
const NEAR = 2;

function nearest(typed: string, known: string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z]/g, "");
  return known.map((name) => ({ name, far: distance(plain(name), plain(typed)) }))
    .filter(({ name, far }) => far <= NEAR && far <= name.length / 2)
    .sort((a, b) => a.far - b.far)[0]?.name;
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
