export interface Ran {
  success: boolean;
  stdout: string;
  stderr: string;
}

/** Runs a command as an agent's shell does. No `curl` in it goes through a proxy. */
export async function inShell(command: string): Promise<Ran> {
  const options = { args: ["-c", command], env: { no_proxy: "*" } };
  const { success, stdout, stderr } = await new Deno.Command("sh", options).output();
  const [told, complaints] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, stdout: told!, stderr: complaints! };
}
