import type { Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import cel from "../views/docs/cel.md" with { type: "text" };
import integrations from "../views/docs/integrations.md" with { type: "text" };
import waits from "../views/docs/waits.md" with { type: "text" };
import patterns from "../views/docs/patterns.md" with { type: "text" };
import guide from "../views/guide.md" with { type: "text" };
import { guidePage } from "../views/guide_page.tsx";
import { page } from "../views/layout.tsx";
import { wordOf } from "../views/room/addresses.ts";
import { ASSETS, sendPage } from "./assets.ts";
import { errorsPage } from "./error_docs.ts";
import { LIMITS } from "./limits.ts";
import { document } from "./methods.ts";
import { openApi } from "./openapi/document.ts";
import { referencePage } from "./openapi/reference.ts";
import type { Services } from "./services.ts";

/** What there is to read beside the guide, by its name under /docs. */
const PAGES: Record<string, { about: string; text: (address: string) => string }> = {
  api: {
    about: "every operation, its parameters and answers",
    text: (address) => referencePage(openApi(address)),
  },
  cel: { about: "expressions: what they read and how they fail", text: () => withLimits(cel) },
  waits: { about: "waiting for a condition", text: () => withLimits(waits) },
  patterns: {
    about: "turns, task queue, leader election, barrier, consensus, shared document",
    text: () => patterns,
  },
  integrations: {
    about: "MCP clients, shells and programs: how an agent comes into a room",
    text: () => withLimits(integrations),
  },
  errors: { about: "every error code: its cause and its cure", text: errorsPage },
};

const SKILL = `---
name: convene
description: Coordinate with other agents over HTTP in shared rooms - messages, claims, versioned state, gates, and waits on conditions. Use when several agents share a task, take turns, split work, vote, or wait for each other.
---

`;

export function mountDocs(app: Hono, { addressOf }: Services): void {
  const send = (c: Context, text: string) => sendText(c, withAddress(text, addressOf(c)));
  document(app, "/openapi.json", { GET: (c) => c.json(openApi(addressOf(c))) });
  for (const path of ["/README.md", "/readme.md", "/help"]) {
    document(app, path, { GET: (c) => send(c, guideText()) });
  }
  for (const path of ["/docs", "/llms.txt"]) document(app, path, { GET: (c) => send(c, indexText()) });
  document(app, "/llms-full.txt", {
    GET: (c) =>
      send(c, [guideText(), ...Object.values(PAGES).map(({ text }) => text(addressOf(c)))].join("\n\n")),
  });
  for (const path of ["/SKILL.md", "/skill.md"]) {
    document(app, path, { GET: (c) => c.text(SKILL + skillText(addressOf(c)), 200, MARKDOWN) });
  }
  document(app, "/api", { GET: (c) => send(c, PAGES.api!.text(addressOf(c))) });
  for (const [name, { text }] of Object.entries(PAGES)) {
    document(app, `/docs/${name}`, { GET: (c) => send(c, text(addressOf(c))) });
  }
}

const MARKDOWN = { "Content-Type": "text/markdown; charset=utf-8" };

/** Sends a text of ours: Markdown, or a page to whoever asks for one. */
async function sendText(c: Context, text: string): Promise<Response> {
  c.header("Vary", "Accept");
  const type = accepts(c, {
    header: "Accept",
    supports: ["text/markdown", "text/plain", "text/html"],
    default: "text/markdown",
  });
  if (type === "text/html") return await sendPage(c, page(guidePage(text, ASSETS)));
  return c.text(text, 200, { "Content-Type": `${type}; charset=utf-8` });
}

export function guideText(): string {
  return withLimits(`${guide}\n${nextText()}`);
}

/** The guide without what has a use only later: a skill's text is read whole each time it is taken up. */
function skillText(address: string): string {
  const parts = guide.split(/^(?=## )/m).filter((part) => !/^## (Patterns|Agents)/.test(part));
  return withAddress(withLimits(`${parts.join("")}\n${nextText()}`), address);
}

function nextText(): string {
  const list = Object.entries(PAGES).map(([name, { about }]) =>
    `- [/docs/${name}]($CONVENE/docs/${name}): ${about}`
  );
  return `## Read next\n\n- [/help]($CONVENE/help): the guide\n${
    list.join("\n")
  }\n- [/openapi.json]($CONVENE/openapi.json): the API as OpenAPI 3.1\n`;
}

/** Addresses within commands, as words of a shell that nothing quotes yet. */
const WORDS = /((?:curl|claude mcp add) [^\n"'`$]*)\$CONVENE([^\s`]*)/g;

/** Puts the address in as it is: `replaceAll` takes a text with `$` in it for a pattern. */
export function withAddress(text: string, address: string): string {
  return text.replaceAll(WORDS, (_, command, path) => command + wordOf(address + path))
    .replaceAll("$CONVENE", () => address);
}

/** `$limits.<name>` is the limit; with `/<unit>` behind it, in units of so many. */
function withLimits(text: string): string {
  return text.replaceAll(
    /\$limits\.(\w+)(?:\/(\d+))?/g,
    (_, name, unit = 1) => String(LIMITS[name as keyof typeof LIMITS] / Number(unit)),
  );
}

function indexText(): string {
  return `# Convene\n\n> An HTTP service where agents coordinate: rooms, messages, claims, state, views and waits. Begin with the guide: GET $CONVENE/\n\n${nextText()}`;
}
