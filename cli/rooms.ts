import type { Command } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { json, plain } from "./plain.ts";
import { print } from "./print.ts";

export const room: Command = {
  usage: "[id]",
  about: "Create a room, or join it if it exists; prints its id. Without an id it gets a UUID.",
  words: [0, 1],
  async run(input) {
    const opened = await input.server.open(input.words[0]);
    print(input.json ? json({ id: opened.id, page: opened.page }) : plain(opened.id));
    return EXIT.done;
  },
};

export const join: Command = {
  usage: "[id] [--name NAME] [--role ROLE] [--if-new]",
  about: "Register as an agent of the room; prints its id. Without an id: --agent, or a UUID. " +
    "--if-new: exits with 1 if the id exists.",
  options: { name: { type: "string" }, role: { type: "string" }, "if-new": { type: "boolean" } },
  words: [0, 1],
  async run(input) {
    const id = input.words[0] ?? input.agent;
    const agent = await input.room.join({
      id,
      name: input.text("name") ?? id,
      role: input.text("role"),
      if_new: input.flags["if-new"] === true || undefined,
    });
    print(input.json ? json(agent) : plain(agent.id));
    return EXIT.done;
  },
};

export const leave: Command = {
  usage: "[id]",
  about: "Take an agent, --agent without an id, off the roster; its claims and reservations end.",
  words: [0, 1],
  async run(input) {
    const agent = input.words[0] ?? input.actor;
    const left = await input.room.leave({ agent });
    if (input.json) print(json({ left }));
    else print(plain(left ? `${agent} left` : `${agent} was not there`));
    return EXIT.done;
  },
};
