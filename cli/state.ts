import type { Entry, Json, JsonObject, WriteOptions } from "../client/mod.ts";
import { type Command, flag, text } from "./command.ts";
import { EXIT } from "./exit.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { shown, worded } from "./plain.ts";
import { remark, tell, tellList } from "./print.ts";
import { wordOf } from "./shell.ts";
import { readJson, UsageError } from "./values.ts";

export const set: Command = {
  usage:
    "<key> [value] [--scope SCOPE] [--if CEL] [--if-version N] [--ttl 5m] [--text] [--increment | --merge | " +
    "--append | --append-all | --remove | --at POINTER | --unset POINTER]",
  about:
    "Write a value; prints it and its version. --increment adds the value, 1 without one. --merge: into an " +
    "object. --append, --append-all, --remove: to and from a list. --at sets a part (/a/0/b), --unset removes one. " +
    "With --ttl the key is deleted after that time.",
  options: {
    scope: text,
    if: text,
    "if-version": text,
    ttl: text,
    text: flag,
    increment: flag,
    merge: flag,
    append: flag,
    "append-all": flag,
    remove: flag,
    at: text,
    unset: text,
  },
  words: [1, 2],
  async run(input) {
    tellWritten(input, await written(input));
  },
};

function tellWritten(input: Input, entry: Entry): void {
  const { value, version } = having(entry, "value", "version");
  tell(input, entry, `${shown(value)} (version ${version})`);
}

/** The options of which each gives the value another meaning. */
const EDITS = ["increment", "merge", "append", "append-all", "remove", "at", "unset"];

/** A key and its value in one word, and a key with its scope, as expressions write it. */
const PAIR = /^([^=\s]+)=(.*)$/s;
const PATH = /^(?:state\.)?(_shared|_view)\.(.+)$/s;

/** What to write for a word that stands for more than a key; undefined for a plain key. */
function keyMeant({ words: [word = "", typed], flags }: Input): string | undefined {
  const [, key, value = ""] = PAIR.exec(word) ?? [];
  const isPair = typed !== undefined
    ? PAIR.test(typed) && flags.text !== true
    : flags.unset === undefined && (flags.increment !== true || /^-?[\d.]+$/.test(value));
  if (key !== undefined && isPair) {
    return `A key and its value are two words: convene set ${wordOf(key)} ${wordOf(value)}`;
  }
  const path = flags.scope === undefined ? pathMeant(word) : undefined;
  return path && `A key is named without its scope: convene set ${path}`;
}

/** The key, with the option that names its scope, that the path of a key stands for. */
function pathMeant(word: string): string | undefined {
  const [, scope, key] = PATH.exec(word) ?? [];
  return key && `${wordOf(key)}${scope === "_shared" ? "" : ` --scope ${scope}`}`;
}

function written(input: Input): Promise<Entry> {
  const meant = keyMeant(input);
  if (meant !== undefined) throw new UsageError(meant);
  const options = {
    scope: input.text("scope"),
    if: input.text("if"),
    if_version: input.number("if-version"),
    ttl: input.seconds("ttl"),
  };
  if (options.scope === "_view") {
    throw new UsageError("A view is an expression: convene view NAME CEL.");
  }
  const [edit, another] = EDITS.filter((name) => input.flags[name] !== undefined);
  if (another) throw new UsageError(`--${edit} and --${another} are two edits: say one.`);
  return edited(input, edit, options);
}

function edited(input: Input, edit: string | undefined, options: WriteOptions): Promise<Entry> {
  const [key, typed] = input.words as [string, string | undefined];
  const { state } = input.room;
  if (edit === "increment") {
    const by = typed === undefined ? 1 : readJson(typed);
    if (typeof by !== "number") throw new UsageError(`--increment adds a number, not ${typed}.`);
    return state.increment(key, by, options);
  }
  if (edit === "unset") {
    if (typed !== undefined) throw new UsageError("--unset takes no value: convene set <key> --unset /a/b");
    return state.edit(key, { unset: [input.text("unset")!] }, options);
  }
  if (typed === undefined) throw new UsageError("Which value? convene set <key> <value>");
  const value = input.value(typed);
  switch (edit) {
    case "merge":
      return state.merge(key, objectOf(value, typed), options);
    case "append":
      return state.append(key, value, options);
    case "append-all":
      if (!Array.isArray(value)) throw new UsageError(`--append-all takes a list, ["a","b"], not ${typed}.`);
      return state.appendAll(key, value, options);
    case "remove":
      return state.remove(key, value, options);
    case "at":
      return state.edit(key, { set: { [input.text("at")!]: value } }, options);
    default:
      return state.put(key, value, options);
  }
}

function objectOf(value: Json, typed: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(`--merge takes an object, {"a":1}, not ${typed}.`);
}

export const view: Command = {
  usage: "<name> <CEL> [--if CEL] [--if-version N]",
  about:
    "Define a view: an expression that is evaluated whenever somebody reads state._view.<name>, with the eyes of the " +
    "agent whose token defined it; prints its value and version. --if-version 0: a new one only.",
  options: { if: text, "if-version": text },
  words: [2, 2],
  async run(input) {
    const [name, expr] = input.words as [string, string];
    const [, , key] = PATH.exec(name) ?? [];
    if (key !== undefined) {
      throw new UsageError(`A view is named without its scope: convene view ${wordOf(key)} ${wordOf(expr)}`);
    }
    const entry = await input.room.state.view(name, expr, {
      if: input.text("if"),
      if_version: input.number("if-version"),
    });
    tellWritten(input, entry);
    if (entry.error) remark(`convene: It has no value yet: ${worded(entry.error)}`);
  },
};

export const get: Command = {
  usage: "[key] [--scope SCOPE]",
  about:
    "Print the value of a key (exits with 1 if there is none), or all values, one per line. Views have their values.",
  options: { scope: text },
  words: [0, 1],
  async run(input) {
    const { state } = input.room;
    const [key] = input.words;
    const scope = input.text("scope");
    if (key === undefined) return tellList(input, await state.list({ scope, resolve: true }), lineOf);
    const found = await state.get(key, { scope, resolve: true });
    if (found === undefined) {
      const path = scope === undefined ? pathMeant(key) : undefined;
      const hint = path ? ` Say convene get ${path}` : "";
      remark(`convene: There is no ${key} in ${scope ?? "_shared"}.${hint}`);
      return EXIT.failed;
    }
    const entry = having(found, "value");
    tell(input, entry, shown(entry.value));
  },
};

export const evaluate: Command = {
  usage: "<CEL>",
  about: "Print the value of an expression over the room.",
  words: [1, 1],
  async run(input) {
    const { value } = having({ value: await input.room.eval(input.words[0]!) }, "value");
    tell(input, value, shown(value));
  },
};

/** Formats an entry on one line: `_shared/turn = "ada"`, or a view without its value: `_view/next := state...`. */
export function lineOf(entry: Entry): string {
  const { scope, key, value, expr } = having(entry, "scope", "key", "value");
  const right = expr !== undefined && value === null ? `:= ${expr}` : `= ${JSON.stringify(value)}`;
  return `${scope}/${key} ${right}`;
}
