import type { Command } from "./arguments.ts";
import { read, say } from "./messages.ts";
import { evaluate, get, set } from "./state.ts";
import { join, room } from "./rooms.ts";
import { attempts, claim, complete, fail, release, renew } from "./tasks.ts";
import { wait } from "./wait.ts";
import { watch } from "./watch.ts";

export const commands: Record<string, Command> = {
  room,
  join,
  say,
  read,
  claim,
  renew,
  complete,
  release,
  fail,
  attempts,
  set,
  get,
  wait,
  eval: evaluate,
  watch,
};
