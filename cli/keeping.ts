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
  const words = Object.entries(set).map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`);
  console.error(plain(`The token is kept in ${file}, for whoever works here in the room.`));
  if (before) console.error(plain(`The one that was kept before is in ${before}.`));
  console.error(plain(`export ${words.join(" ")}`));
}
