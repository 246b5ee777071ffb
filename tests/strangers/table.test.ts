import assert from "node:assert/strict";
import { type ErrorCode, ERRORS } from "../../errors.ts";
import { HEADERS, message, unframed } from "../support/mcp.ts";
import { ASKED, eachAtOnce, PAGES, plainOf, TOOLS } from "./requests.ts";
import { type Answer, type Sent, type Setting, strangersTest } from "./setting.ts";

/*
 * The table of docs/guarantees.md, made of what each request was answered: `WRITE_TABLE=1 deno test -A
 * tests/strangers/table.test.ts` writes it anew.
 */
const DOCUMENT = new URL("../../docs/guarantees.md", import.meta.url);
const BEGIN = "<!-- who is answered what: made by tests/strangers/table.test.ts -->\n\n";
const END = "\n\n<!-- end -->";

/** Tells whether an answer is a refusal for who asks, or one of the room's own. */
function cellOf({ status, body }: Pick<Answer, "status" | "body">): string {
  if (status === 401 || status === 403) return String(status);
  if (status === 404 && (body === undefined || ["room_not_found", "not_found"].includes(body.error))) {
    return "404";
  }
  if (body?.error === "id_unavailable") return "409";
  assert.ok(status !== 400 && status < 500, `${status} ${JSON.stringify(body)}`);
  return "yes";
}

/** The same of a tool's answer. */
function toolCellOf({ text }: Answer): string {
  const { result } = JSON.parse(/\{.*\}/s.exec(text)![0]);
  const body = JSON.parse(unframed(result.content[0].text));
  return cellOf({ status: body.error === undefined ? 200 : ERRORS[body.error as ErrorCode].status, body });
}

interface Line {
  name: string;
  sent: Sent;
  read: (answer: Answer) => string;
}

const call = (name: string, args: object): Sent => ({
  method: "POST",
  path: "/mcp",
  headers: HEADERS,
  body: JSON.parse(message("tools/call", { name, arguments: args })),
});

function linesOf(setting: Setting): Line[] {
  const operations = ASKED.map((asked): Line => ({
    name: `\`${asked.method} ${asked.template}\``,
    sent: plainOf(asked, setting),
    read: asked.template.includes("{code}") ? () => "by code" : cellOf,
  }));
  const pages = Object.entries(PAGES).filter(([path]) => path !== "/").map(([path, queriesOf]): Line => ({
    name: `\`GET ${path}\``,
    sent: {
      method: "GET",
      path: `${path.replace("{room}", setting.room)}?${new URLSearchParams(queriesOf(setting)[0])}`,
    },
    read: cellOf,
  }));
  const tools = Object.entries(TOOLS).map(([name, [given]]): Line => ({
    name: `MCP \`${name}\``,
    sent: call(name, { room: setting.room, ...given }),
    read: toolCellOf,
  }));
  return [...operations, ...pages, ...tools];
}

/** The same request of the open room. */
function inOpen(sent: Sent, { room, open }: Setting): Sent {
  return JSON.parse(JSON.stringify(sent).replaceAll(room, open.room));
}

/** Returns the cells of a line. */
async function cellsOf({ name, sent, read }: Line, setting: Setting): Promise<string[]> {
  const { outsider, elsewhere, revoked, reader, member, admin } = setting.actors;
  // A bad token in the header of /mcp is refused before any tool: here tools have theirs as an argument.
  const ask = async (sent: Sent, token?: string) => {
    if (sent.path !== "/mcp" || token === undefined) return read(await setting.ask(sent, token));
    const { params: { name, arguments: args } } = sent.body as {
      params: { name: string; arguments: object };
    };
    return read(await setting.ask(call(name, { ...args, token })));
  };
  const strangers = await Promise.all([outsider, elsewhere, revoked].map(({ token }) => ask(sent, token)));
  const distinct = [...new Set(strangers)].sort();
  // Whoever shows no token makes the room that it joins, which tells that the id is taken.
  const isOne = distinct.length === 1 || name.includes("`join`") && distinct.join() === "404,409";
  assert.ok(isOne, `${name} tells strangers apart: ${strangers}`);
  const locked = [];
  for (const actor of [reader, member, admin]) locked.push(await ask(sent, await setting.spare(actor)));
  const tokens = [undefined, setting.open.revoked, await setting.open.reader()];
  const open = await Promise.all(tokens.map((token) => ask(inOpen(sent, setting), token)));
  return [distinct.join(", "), ...locked, ...open];
}

const HEAD = [
  "",
  "locked: strangers",
  "reader",
  "other member",
  "admin",
  "open: anybody",
  "bad token",
  "reader",
];

async function tableOf(setting: Setting): Promise<string> {
  const lines = linesOf(setting);
  const cells = new Map<string, string[]>();
  // A call of a tool ends the waits of the agent that it names, and the room goes with its deletion.
  const isLast = ({ sent: { method, path } }: Line) =>
    path === "/mcp" || method === "DELETE" && path === `/rooms/${setting.room}`;
  await eachAtOnce(
    lines.filter((line) => !isLast(line)),
    async (line) => void cells.set(line.name, await cellsOf(line, setting)),
  );
  for (const line of lines.filter(isLast).toReversed()) cells.set(line.name, await cellsOf(line, setting));
  const rows = lines.map(({ name }) => [name, ...cells.get(name)!]);
  const widths = HEAD.map((_, n) => Math.max(...[HEAD, ...rows].map((row) => row[n]!.length)));
  const line = (cells: string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n]!)).join(" | ")} |`;
  return [line(HEAD), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

strangersTest(
  "the table of who is answered what is true, and has a row for each endpoint",
  async (setting) => {
    const ofRooms = setting.served.filter((path) => /:/.test(path) && !path.startsWith("/assets/"));
    const known = new Set([...ASKED.map(({ template }) => template), ...Object.keys(PAGES)]);
    const unknown = ofRooms.map((path) => path.replaceAll(/:(\w+)/g, "{$1}")).filter((path) =>
      !known.has(path)
    );
    assert.deepEqual([...new Set(unknown)], [], "each path has its rows");
    const table = await tableOf(setting);
    const text = await Deno.readTextFile(DOCUMENT);
    const [before, rest = ""] = text.split(BEGIN);
    assert.ok(rest.includes(END), "docs/guarantees.md has a place for the table");
    const after = rest.slice(rest.indexOf(END));
    if (Deno.env.get("WRITE_TABLE")) await Deno.writeTextFile(DOCUMENT, before + BEGIN + table + after);
    else assert.equal(rest.slice(0, rest.indexOf(END)), table);
  },
);
