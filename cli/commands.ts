import type { Command } from "./command.ts";
import { read, say } from "./messages.ts";
import { reserve } from "./reserve.ts";
import { evaluate, get, set, view } from "./state.ts";
import { invite, invites } from "./invites.ts";
import { join, leave } from "./joining.ts";
import { room, rooms } from "./rooms.ts";
import { attempts, claim, complete, fail, release, renew, take } from "./tasks.ts";
import { tokens } from "./tokens.ts";
import { wait } from "./wait.ts";
import { watch } from "./watch.ts";
import { work } from "./work.ts";

export const commands: Record<string, Command> = {
  room,
  join,
  leave,
  invite,
  invites,
  tokens,
  rooms,
  say,
  read,
  take,
  claim,
  renew,
  complete,
  release,
  fail,
  attempts,
  work,
  set,
  get,
  view,
  reserve,
  wait,
  eval: evaluate,
  watch,
};

export function commandOf(name: string): Command | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}
