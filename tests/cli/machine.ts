import assert from "node:assert/strict";
import { startHereAlone } from "../support/here.ts";
import { type Ended, Shell } from "./command.ts";

export const TOKEN = /cvn_[amr]_\w{49}/;

/** A service, and machines that know nothing of each other. */
export async function withMachines(
  test: (url: string, machine: (room?: string, agent?: string) => Promise<Machine>) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const service = await startHereAlone(env);
  stack.defer(() => service.stop());
  await test(service.url, async (room = "", agent = "") => {
    const folder = await Deno.makeTempDir({ prefix: "convene-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    return new Machine(service.url, folder, room, agent);
  });
}

/** A machine with a folder of its own for tokens. */
export class Machine {
  constructor(readonly url: string, readonly folder: string, public room: string, public agent: string) {}

  run(...args: string[]): Promise<Ended> {
    return this.with({}, ...args);
  }

  with(further: Record<string, string>, ...args: string[]): Promise<Ended> {
    return this.#shell(further).run(...args);
  }

  /** Runs it with a text on its input. */
  fed(text: string, ...args: string[]): Promise<Ended> {
    return this.#shell({}).fed(text, ...args);
  }

  #shell(further: Record<string, string>): Shell {
    return new Shell(this.url, this.room, this.agent, { XDG_CONFIG_HOME: this.folder, ...further });
  }

  /** Runs a command that succeeds; returns what it prints. */
  async prints(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    assert.equal(code, 0, args.join(" ") + stderr);
    assert.doesNotMatch(stdout + stderr, TOKEN);
    return stdout.trimEnd();
  }

  /** The files of its tokens, with their modes. */
  async files(): Promise<Array<{ name: string; mode: number; text: string }>> {
    const folder = `${this.folder}/convene`;
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    return await Promise.all(names.map(async (name) => ({
      name,
      mode: (await Deno.stat(`${folder}/${name}`)).mode! & 0o777,
      text: await Deno.readTextFile(`${folder}/${name}`),
    })));
  }
}
