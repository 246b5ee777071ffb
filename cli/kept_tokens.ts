import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import process from "node:process";

type Environment = Record<string, string | undefined>;

/** A token of a room, with what it is for. */
interface KeptToken {
  /** The service's address. */
  server: string;
  room: string;
  /** The agent that it is bound to. */
  agent?: string;
  /** Of an admin's token: the agent that acts by default, since such a token acts as any. */
  as?: string;
  token: string;
}

export const isAdmins = (token: string): boolean => token.startsWith("cvn_a_");

/** A token as a file has it. */
export interface KeptFile extends KeptToken {
  file: string;
}

/** Modes for the owner alone. */
const FOLDER = 0o700;
const FILE = 0o600;

function folderOf({ XDG_CONFIG_HOME: base, HOME, USERPROFILE }: Environment): string {
  const own = base && isAbsolute(base) ? base : join(HOME || USERPROFILE || homedir(), ".config");
  return join(own, "convene");
}

/** One file for each service and room. Its name is a digest: ids of rooms have characters that names of files lack. */
function fileOf(environment: Environment, server: string, room: string): string {
  const digest = createHash("sha256").update(JSON.stringify([server, room])).digest("hex");
  return join(folderOf(environment), `${digest.slice(0, 32)}.json`);
}

/**
 * Returns the token that is kept for a room: the last one; where that is of another agent than the one that is named,
 * and no admin's, the last one of that agent, if there is one. Undefined where there is none, or none that may be read.
 */
export function keptToken(
  environment: Environment,
  server: string,
  room: string,
  agent?: string,
): KeptFile | undefined {
  const last = keptIn(fileOf(environment, server, room));
  if (last?.server !== server || last.room !== room) return undefined;
  if (agent === undefined || last.agent === undefined || last.agent === agent || isAdmins(last.token)) {
    return last;
  }
  return keptBefore(environment, server, room).find((kept) => kept.agent === agent) ?? last;
}

/** Returns the tokens of a room that others took the place of, the newest first. */
export function keptBefore(environment: Environment, server: string, room: string): KeptFile[] {
  return keptAside(environment, server, room).filter((file) => numberOf(file) > 0)
    .sort((a, b) => numberOf(b) - numberOf(a))
    .flatMap((file) => keptIn(file) ?? []);
}

/** Which of the tokens that were moved aside a file has, from 1 on; 0: it has none of them. */
function numberOf(file: string): number {
  const [, n] = /\.before(\d*)$/.exec(file) ?? [];
  return n === undefined ? 0 : Number(n || 1);
}

function keptIn(file: string): KeptFile | undefined {
  try {
    const kept = keptAs(readFileSync(file, "utf8"));
    return kept && { ...kept, file };
  } catch {
    return undefined;
  }
}

/** Reads a token in the form of its file; undefined for another text. */
export function keptAs(text: string): KeptToken | undefined {
  try {
    const kept = JSON.parse(text);
    return [kept?.token, kept?.server, kept?.room].every((text) => typeof text === "string")
      ? kept
      : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the other services at which a token is kept for a room with this id: the same one may have many addresses. */
export function keptElsewhere(environment: Environment, server: string, room: string): string[] {
  const folder = folderOf(environment);
  const others = namesIn(folder).filter((name) => name.endsWith(".json"))
    .map((name) => keptIn(join(folder, name)))
    .filter((kept) => kept !== undefined && kept.room === room && kept.server !== server)
    .map((kept) => kept!.server);
  return [...new Set(others)].sort();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Keeps a token in a file that only its owner reads. Another one of the same room is moved aside: it may be all that is
 * left of its rights. Returns the file, and the other one with its new place.
 */
export function keepToken(
  environment: Environment,
  kept: KeptToken,
): { file: string; before?: KeptFile } {
  const file = fileOf(environment, kept.server, kept.room);
  const other = keptToken(environment, kept.server, kept.room);
  const before = other === undefined || other.token === kept.token
    ? undefined
    : { ...other, file: copyAside(file, keptAside(environment, kept.server, kept.room)) };
  write(environment, file, kept);
  for (const { file, token } of keptBefore(environment, kept.server, kept.room)) {
    if (token === kept.token) rmSync(file, { force: true }); // it has its place again
  }
  return { file, before };
}

/** Keeps the new text of a token in its file, in place of the old one. */
export function renewToken(environment: Environment, kept: KeptFile): void {
  write(environment, kept.file, kept);
}

/** Removes the tokens that are kept for a room, which is no more. */
export function forgetTokens(environment: Environment, server: string, room: string): void {
  const files = [fileOf(environment, server, room), ...keptAside(environment, server, room)];
  for (const file of files) rmSync(file, { force: true });
}

/** Returns the files of the tokens of a room that were moved aside. */
function keptAside(environment: Environment, server: string, room: string): string[] {
  const folder = folderOf(environment);
  const file = basename(fileOf(environment, server, room));
  return namesIn(folder).filter((name) => name.startsWith(`${file}.before`)).map((name) =>
    join(folder, name)
  );
}

/** Copies a file beside itself, over none that is there and after all others. Returns the copy. */
function copyAside(file: string, others: string[]): string {
  for (let n = Math.max(0, ...others.map(numberOf)) + 1;; n++) {
    const aside = `${file}.before${n === 1 ? "" : n}`;
    try {
      writeFileSync(aside, readFileSync(file), { mode: FILE, flag: "wx" });
      return aside;
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
  }
}

/** Writes a file in one piece: whoever reads it meanwhile, or if it fails, has the old one. */
function write(
  environment: Environment,
  file: string,
  { server, room, agent, as, token }: KeptToken,
): void {
  mkdirSync(folderOf(environment), { recursive: true, mode: FOLDER });
  const made = `${file}.${process.pid}`;
  writeFileSync(made, `${JSON.stringify({ server, room, agent, as, token }, null, 2)}\n`, {
    mode: FILE,
    flag: "wx",
  });
  renameSync(made, file);
}
