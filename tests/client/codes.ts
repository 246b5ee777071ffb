import { ERRORS } from "../../errors.ts";

const FILE = new URL("../../client/codes.ts", import.meta.url);

/** The client's file, and what it is to be: it ships without the service, so it has the table's codes as its own. */
export async function codesFile(): Promise<{ is: string; ought: string }> {
  const is = await Deno.readTextFile(FILE);
  const codes = Object.keys(ERRORS).sort().map((code) => `  "${code}",\n`).join("");
  return { is, ought: is.replace(/(SERVICE_CODES = \[\n)[^\]]*/, (_, head) => head + codes) };
}

if (import.meta.main) await Deno.writeTextFile(FILE, (await codesFile()).ought);
