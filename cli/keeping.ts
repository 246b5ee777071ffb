import type { Room } from "../client/mod.ts";
import type { Input } from "./input.ts";
import { keepToken } from "./kept_tokens.ts";
import { plain } from "./plain.ts";
import { print } from "./print.ts";

/** Keeps a token that was made just now. Where that fails it is printed, since nothing else has it. */
export function keepMade(input: Input, room: Room, token: string): void {
  try {
    keep(input, room, token);
  } catch (error) {
    print(token);
    throw error;
  }
}

/** Keeps a token of a room and says how to use it. */
export function keep(input: Input, { id, connection, agent }: Room, token: string): void {
  const { file, before } = keepToken(input.environment, { server: connection.url, room: id, agent, token });
  const set = { CONVENE_URL: connection.url, CONVENE_ROOM: id, ...agent && { CONVENE_AGENT: agent } };
  const words = Object.entries(set).map(([name, value]) => `${name}=${quoted(value)}`);
  console.error(plain(`The token is kept in ${file}, for whoever works here in the room.`));
  if (before) {
    const { file, agent: other } = before;
    const whose = other === undefined ? "" : `, ${other}'s,`;
    const use = agent === undefined || other === undefined || other === agent
      ? `it counts again after convene tokens keep < ${wordOf(file)}`
      : `say --agent ${wordOf(other)} to act under it`;
    console.error(plain(`The one that was kept before${whose} is in ${file}: ${use}`));
  }
  console.error(plain(`export ${words.join(" ")}`));
}

/** Quotes a text for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Makes a text a word of a shell command. */
function wordOf(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}
