import type { Command } from "./arguments.ts";
import { claim, read, say } from "./messages.ts";
import { evaluate, get, set } from "./state.ts";
import { join, room } from "./rooms.ts";
import { wait } from "./wait.ts";
import { watch } from "./watch.ts";

export const commands: Record<string, Command> = {
  room,
  join,
  say,
  read,
  claim,
  set,
  get,
  wait,
  eval: evaluate,
  watch,
};
