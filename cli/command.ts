import type { ParseArgsConfig } from "node:util";
import type { ErrorCode } from "../client/mod.ts";
import type { Input } from "./input.ts";

export type Options = NonNullable<ParseArgsConfig["options"]>;

/** The kinds of options. */
export const text = { type: "string" } as const;
export const flag = { type: "boolean" } as const;

export type Hints = Partial<Record<ErrorCode, string>>;

export interface Command {
  /** The words and options after its name: `<condition>`. */
  usage: string;
  /** What it does, in a line. */
  about: string;
  /** Its own options, beside the common ones. */
  options?: Options;
  /** The number of words that follow. */
  words: [min: number, max: number];
  /** What to do about its errors, where that differs from other commands, or with what was typed. */
  hints?: Hints | ((input: Input) => Hints);
  /** Does it. Returns the exit code, if it is another than that of what is done. */
  run(input: Input): Promise<number | void>;
}

/** What a command says about its errors. */
export function hintsOf({ hints = {} }: Command, input: Input): Hints {
  return typeof hints === "function" ? hints(input) : hints;
}
