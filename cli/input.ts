import { type KeptFile, keptToken } from "./kept_tokens.ts";
import { PATIENCE, reachingFetch } from "./reach.ts";
import { readValue, UsageError } from "./values.ts";
import { type After, connect, type Convene, type Json, type Room } from "../client/mod.ts";

export type Flags = Record<string, string | boolean | undefined>;

/** The fewest characters that an operator's token has; it has no form. */
const MIN_OPERATOR_TOKEN = 32;

/** The parsed arguments and the environment of a command. */
export class Input {
  /** The room of the last request, whose token went along if there is one. */
  asked?: string;

  constructor(
    readonly words: string[],
    readonly flags: Flags,
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

  /** The token of `CONVENE_TOKEN`, of a room or the operator's. Another text would be ignored, and nobody would act. */
  get givenToken(): string | undefined {
    const given = this.environment.CONVENE_TOKEN;
    if (!given || given.startsWith("cvn_") || given.length >= MIN_OPERATOR_TOKEN) return given;
    throw new UsageError(
      "CONVENE_TOKEN holds no token: those of rooms begin with cvn_. Set it to one as it was given, or to nothing.",
    );
  }

  /** A token of a room counts in no other than `--room` or `CONVENE_ROOM` names, if one does; the operator's in all. */
  #tokenFor(id?: string): string | undefined {
    const given = this.givenToken;
    if (given === undefined) return this.keptFor(id)?.token;
    if (given.startsWith("cvn_")) return id === (this.roomId ?? id) && id !== undefined ? given : undefined;
    return given || undefined;
  }

  /** The token that is kept for the room that is named. */
  get kept(): KeptFile | undefined {
    return this.keptFor(this.roomId);
  }

  /**
   * The token that is kept for a room, of the agent that is named if it has one. Undefined where `CONVENE_TOKEN` is set,
   * even to nothing.
   */
  keptFor(id?: string): KeptFile | undefined {
    if (id === undefined || this.environment.CONVENE_TOKEN !== undefined) return undefined;
    return keptToken(this.environment, this.server.connection.url, id, this.named);
  }

  /** Who acts, as the caller says. */
  get named(): string | undefined {
    return (this.text("agent") ?? this.environment.CONVENE_AGENT) || undefined;
  }

  /** Who acts: by default the agent whose token is kept, or as whom an admin's is. */
  get agent(): string | undefined {
    return this.named ?? this.kept?.as ?? this.kept?.agent;
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
