import type { Room } from "../client/mod.ts";
import type { Input } from "./arguments.ts";
import { keepToken } from "./kept_tokens.ts";
import { plain } from "./plain.ts";

/** Keeps a token of a room and says how to use it. */
export function keep(input: Input, { id, connection, agent }: Room, token: string): void {
  const file = keepToken(input.environment, { server: connection.url, room: id, agent, token });
  const set = { CONVENE_URL: connection.url, CONVENE_ROOM: id, ...agent && { CONVENE_AGENT: agent } };
  const words = Object.entries(set).map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`);
  console.error(plain(`The token is kept in ${file}, for whoever works here in the room.`));
  console.error(plain(`export ${words.join(" ")}`));
}
