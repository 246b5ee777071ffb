import { connect, type Room } from "../../client/mod.ts";
import { startHereAlone } from "../support/here.ts";

const main = new URL("../../cli/main.ts", import.meta.url).pathname;

const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-run", "--allow-read", "--allow-write"];

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** The command as a shell starts it, with a server, a room and an agent in its environment, and a folder for tokens. */
export class Shell {
  constructor(
    readonly url: string,
    readonly room: string,
    readonly agent = "ada",
    readonly further: Record<string, string> = { XDG_CONFIG_HOME: "/none" },
  ) {}

  start(...args: string[]): Deno.ChildProcess {
    return this.#started(args, "null");
  }

  #started(args: string[], stdin: "null" | "piped"): Deno.ChildProcess {
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...PERMISSIONS, main, ...args],
      env: {
        CONVENE_URL: this.url,
        CONVENE_ROOM: this.room,
        CONVENE_AGENT: this.agent,
        NO_COLOR: "1",
        ...this.further,
      },
      stdin,
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(30_000),
    }).spawn();
  }

  run(...args: string[]): Promise<Ended> {
    return ended(this.start(...args));
  }

  /** Runs it with a text on its input. */
  async fed(text: string, ...args: string[]): Promise<Ended> {
    const process = this.#started(args, "piped");
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    return await ended(process);
  }
}

export async function ended(process: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await process.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Runs a test with a service, a room in it, and a shell there. */
export async function withShell(test: (shell: Shell, room: Room) => Promise<void>): Promise<void> {
  const service = await startHereAlone();
  try {
    const room = await connect(service.url).open("r", { agent: "ada" });
    await test(new Shell(service.url, "r"), room);
  } finally {
    await service.stop();
  }
}
