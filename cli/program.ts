import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Readable } from "node:stream";
import type { Json } from "../client/mod.ts";
import { UsageError } from "./values.ts";

/** Milliseconds between the signal that asks a program to end and the one that ends it. */
const GRACE = 5_000;
/** The characters of its stderr that are kept: the error of an attempt has at most 4 KiB. */
const TAIL = 600;
/** The characters that a program may print: more than the result of a task may have. */
const MAX = 262_144;

/** A program that did not exit with code 0, with the end of its stderr. */
class ProgramFailed extends Error {
  constructor(readonly exit: number | string, readonly stderr: string) {
    super(typeof exit === "number" ? `exit code ${exit}` : `ended by ${exit}`);
  }

  /** What is kept with the attempt. */
  toJSON(): Json {
    return { exit: this.exit, stderr: this.stderr };
  }
}

export interface Run {
  words: string[];
  env: Record<string, string | undefined>;
  /** Its stdin. */
  input: string;
  /** Aborting it ends the program and its children. */
  signal: AbortSignal;
}

/** Ends a process group, in the words of `sh`, if its input ends without a line. */
const WATCHDOG = 'read -r line && exit; kill -TERM "-$1"; sleep "$2"; kill -KILL "-$1"';

/**
 * Lets a shell end a program and its children if this process ends before them, be it by SIGKILL: the input of the shell
 * ends with this process. Returns the function that ends the shell alone. Without `sh` they run on.
 */
function startWatchdog({ pid }: ChildProcess): () => void {
  if (pid === undefined || process.platform === "win32") return () => {};
  const words = ["-c", WATCHDOG, "sh", String(pid), String(GRACE / 1_000)];
  // A process group of its own, so that what ends this one's leaves it.
  const shell = spawn("sh", words, { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  return () => void shell.stdin.end("\n");
}

/**
 * Runs a program and returns its stdout. Passes its stderr on. Errors: `ProgramFailed`; `UsageError`
 * where there is no such program.
 */
export async function runProgram({ words: [program, ...args], env, input, signal }: Run): Promise<string> {
  // A process group of its own, so that its children end with it.
  const child = spawn(program!, args, { env, stdio: "pipe", detached: true });
  const stopWatchdog = startWatchdog(child);
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", (error) => reject(new UsageError(`${program} cannot be run: ${error.message}`)));
    child.on("close", (code, name) => resolve(code ?? name ?? "a signal"));
  });
  let insist: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    signalTo(child, "SIGTERM");
    insist ??= setTimeout(() => {
      signalTo(child, "SIGKILL");
      // What left the group may hold these open.
      child.stdout.destroy();
      child.stderr.destroy();
    }, GRACE);
  };
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  child.stdin.on("error", () => {}); // it need not read
  child.stdin.end(input);
  try {
    const [printed, complaints, exit] = await Promise.all([
      textOf(child.stdout),
      complaintsOf(child.stderr),
      ended,
    ]);
    if (exit !== 0) throw new ProgramFailed(exit, complaints);
    return printed;
  } catch (error) {
    if (!(error instanceof ProgramFailed)) end();
    throw error;
  } finally {
    await ended.catch(() => {});
    stopWatchdog();
    clearTimeout(insist);
    signal.removeEventListener("abort", end);
  }
}

/** Errors: there is more than a result may have, or it is no text. */
async function textOf(stream: Readable): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for await (const piece of stream) {
    text += decoded(() => decoder.decode(piece, { stream: true }));
    if (text.length > MAX) {
      throw new Error(
        `It printed more than ${MAX} characters. Store large results elsewhere, and print where.`,
      );
    }
  }
  return text + decoded(() => decoder.decode());
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch (cause) {
    throw new Error("It printed bytes that are not UTF-8. Encode them, as with base64.", { cause });
  }
}

/** Finds a program in the words of `sh`: this needs no permission to read files. */
const FIND = 'found=$(command -v -- "$1") && case $found in */*) [ -f "$found" ] && [ -x "$found" ];; esac';

/**
 * Looks for a program before there is work for it. Without `sh` its first run tells. Errors: `UsageError` where there
 * is no such program.
 */
export async function findProgram(program: string): Promise<void> {
  const finding = spawn("sh", ["-c", FIND, "sh", program], { stdio: "ignore" });
  const exit = await new Promise<number | null>((resolve) => {
    finding.on("error", () => resolve(null));
    finding.on("close", resolve);
  });
  if (exit) throw new UsageError(`${program} cannot be run: there is no such program.`);
}

/** Passes stderr on and returns its end. */
async function complaintsOf(stream: Readable): Promise<string> {
  const decoder = new TextDecoder();
  let tail = "";
  for await (const piece of stream) {
    process.stderr.write(piece);
    tail = (tail + decoder.decode(piece, { stream: true })).slice(-TAIL);
  }
  return tail.toWellFormed();
}

/** Signals a program and its children. */
function signalTo(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    if (process.platform === "win32") child.kill(signal);
    else if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}
