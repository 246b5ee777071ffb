import type { Room } from "../client/mod.ts";
import type { Input } from "./input.ts";
import { isAdmins, keepToken, type KeptFile } from "./kept_tokens.ts";
import { print, remark } from "./print.ts";
import { quoted, wordOf } from "./shell.ts";

/** Keeps a token that was made just now. Where that fails it is printed, since nothing else has it. */
export function keepMade(input: Input, room: Room, token: string): void {
  orPrinted(token, () => keep(input, room, token));
}

/**
 * Keeps the token of an agent that has joined just now. An admin's that was kept goes on counting, if it does at the
 * service, and acts as the agent: who joins has not given up its rights.
 */
export async function keepJoined(input: Input, room: Room, token: string): Promise<void> {
  // First of all, since nothing else has it.
  const { file, before } = orPrinted(token, () => keepToken(input.environment, keptOf(room, token)));
  const stays = before && isAdmins(before.token) && !isAdmins(token) && await counts(room, before);
  if (!stays) return tell(room, file, before);
  const { before: own } = keepToken(input.environment, { ...before, as: room.agent });
  const agent = room.agent!;
  tellPlace(own!.file);
  remark(
    `You stay an admin: the admin's token that is kept goes on counting, and acts as ${agent}. ` +
      `To act under ${agent}'s alone: convene tokens keep < ${wordOf(own!.file)}`,
  );
  tellExport(room);
}

/** Keeps a token of a room and says how to use it. */
export function keep(input: Input, room: Room, token: string): void {
  const { file, before } = keepToken(input.environment, keptOf(room, token));
  tell(room, file, before);
}

const keptOf = ({ id, connection, agent }: Room, token: string) => ({
  server: connection.url,
  room: id,
  agent,
  token,
});

/** Runs what keeps a token. Errors: those of `run`, and the token is printed. */
function orPrinted<T>(token: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    print(token);
    throw error;
  }
}

/** Whether a kept token is in force. Without an answer it is taken for one that is not. */
async function counts({ connection, id }: Room, { token }: KeptFile): Promise<boolean> {
  const room = connection.with(token);
  return await room.get(`/rooms/${encodeURIComponent(id)}`).then(() => true, () => false);
}

/** Says where a token is kept, and which one was before it. */
function tell(room: Room, file: string, before?: KeptFile): void {
  tellPlace(file);
  if (before) {
    const { file, agent: other } = before;
    const whose = other === undefined ? "" : `, ${other}'s,`;
    const use =
      room.agent === undefined || other === undefined || other === room.agent || isAdmins(before.token)
        ? `it counts again after convene tokens keep < ${wordOf(file)}`
        : `say --agent ${wordOf(other)} to act under it`;
    remark(`The one that was kept before${whose} is in ${file}: ${use}`);
  }
  tellExport(room);
}

const tellPlace = (file: string) =>
  remark(`The token is kept in ${file}, for whoever works here in the room.`);

/** Says what makes all commands of a shell those of the room and the agent. */
function tellExport({ connection, id, agent }: Room): void {
  const set = { CONVENE_URL: connection.url, CONVENE_ROOM: id, ...agent && { CONVENE_AGENT: agent } };
  const words = Object.entries(set).map(([name, value]) => `${name}=${quoted(value)}`);
  remark(`export ${words.join(" ")}`);
}
