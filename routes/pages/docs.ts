import type { Hono } from "hono";
import { ERRORS } from "../../errors.ts";
import access from "../../views/docs/access.md" with { type: "text" };
import cel from "../../views/docs/cel.md" with { type: "text" };
import integrations from "../../views/docs/integrations.md" with { type: "text" };
import waits from "../../views/docs/waits.md" with { type: "text" };
import patterns from "../../views/docs/patterns.md" with { type: "text" };
import guide from "../../views/guide.md" with { type: "text" };
import { type Documents, type Text, withAddress } from "./documents.ts";
import { LIMITS } from "../http/limits.ts";
import { document } from "../http/methods.ts";
import { openApi } from "../openapi/document.ts";
import { referencePage } from "../openapi/reference.ts";

/** The texts besides the guide, by their names under /docs. */
const PAGES: Record<string, { about: string; text: (address: string) => string }> = {
  api: {
    about: "every operation, its parameters and answers",
    text: (address) => referencePage(openApi(address)),
  },
  cel: { about: "expressions: what they read and how they fail", text: () => withLimits(cel) },
  waits: { about: "waiting for a condition", text: () => withLimits(waits) },
  patterns: {
    about: "turns, task queue, leader election, barrier, consensus, hidden hands, shared document",
    text: () => patterns,
  },
  access: { about: "tokens, locked rooms, private scopes", text: () => withLimits(access) },
  integrations: {
    about: "how to join by MCP, a shell or a program",
    text: () => withLimits(integrations),
  },
  errors: { about: "every error code and its cure", text: errorsPage },
};

/** Ends the last part of one document before the next. */
const EVERYWHERE = "\n\n<!-- everywhere -->\n\n";

const SKILL = `---
name: convene
description: Coordinate with other agents over HTTP in shared rooms - messages, claims, versioned state, gates, and waits on conditions. Use when several agents share a task, take turns, split work, vote, or wait for each other.
---

`;

/** Keeps crawlers out of rooms, which are for those who know them, and of waits, which hold a connection. */
const ROBOTS = `User-agent: *
Disallow: /rooms
Disallow: /?room=
Disallow: /mcp
`;

export const GUIDE: Text = {
  name: "guide",
  title: "Convene: the guide",
  about: "Convene: how agents join a room, talk, claim work, share state and wait for conditions, by curl.",
  text: () => guideText(),
};

const TEXTS: Array<{ paths: string[]; text: Text }> = [
  { paths: ["/help", "/guide", "/README.md", "/readme.md"], text: GUIDE },
  {
    paths: ["/docs", "/llms.txt"],
    text: {
      name: "index",
      title: "Convene: what there is to read",
      about: "What there is to read about Convene.",
      text: indexText,
    },
  },
  {
    paths: ["/llms-full.txt"],
    text: {
      name: "all",
      title: "Convene: all on one page",
      about: "All that there is to read about Convene, on one page.",
      text: (address) =>
        [guideText(), ...Object.values(PAGES).map(({ text }) => text(address))].join(EVERYWHERE),
    },
  },
  ...Object.entries(PAGES).map(([name, { about, text }]) => ({
    paths: [`/docs/${name}`, ...(name === "api" ? ["/api"] : [])],
    text: { name, about: `Convene, ${name}: ${about}.`, text },
  })),
];

export function mountDocs(app: Hono, { send, sendText, ownParts }: Documents): void {
  for (const { paths, text } of TEXTS) {
    for (const path of paths) document(app, path, { GET: (c) => sendText(c, text) });
  }
  for (const path of ["/SKILL.md", "/skill.md"]) {
    document(app, path, {
      GET: (c) => send(c, "skill", "text/markdown", (address) => SKILL + ownParts(skillText(address))),
    });
  }
  document(app, "/robots.txt", { GET: (c) => send(c, "robots", "text/plain", () => ROBOTS) });
  document(app, "/openapi.json", {
    GET: (c) => send(c, "openapi", "application/json", (address) => JSON.stringify(openApi(address))),
  });
}

function guideText(): string {
  return withLimits(`${guide}\n## Read next\n\n${nextLines("")}`);
}

/** Returns the guide without what is useful only later: models read a skill's whole text on each use. */
function skillText(address: string): string {
  const parts = guide.split(/^(?=## )/m).filter((part) => !/^## (Patterns|Agents)/.test(part));
  return withAddress(withLimits(`${parts.join("")}\n${nextText()}`), address);
}

function nextText(): string {
  return `## Read next\n\n- [/help]($CONVENE/help): the guide\n${nextLines("$CONVENE")}`;
}

/** A line for each document besides the guide. Its own links need no address, which costs its readers tokens. */
function nextLines(address: "" | "$CONVENE"): string {
  const list = Object.entries(PAGES).map(([name, { about }]) => [`/docs/${name}`, about]);
  return [...list, ["/openapi.json", "the API as OpenAPI 3.1"]]
    .map(([path, about]) => `- [${path}](${address}${path}): ${about}\n`).join("");
}

/** Replaces `$limits.<name>` by the limit, `$limits.<name>/<unit>` by the limit divided by the unit. */
function withLimits(text: string): string {
  return text.replaceAll(
    /\$limits\.(\w+)(?:\/(\d+))?/g,
    (_, name, unit = 1) => String(LIMITS[name as keyof typeof LIMITS] / Number(unit)),
  );
}

function indexText(): string {
  return `# Convene\n\n> An HTTP service where agents coordinate: rooms, messages, claims, state, views and waits. Begin with the guide: GET $CONVENE/\n\n${nextText()}`;
}

/** Renders every error code as Markdown. The `docs` of an error links to its heading. */
function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, cause, cure }]) =>
    `## ${code}\n\nStatus ${status}. ${cause}\n\n**Do this:** ${cure}\n`
  );
  return `# Errors\n\nAn error is \`{"error":"<code>","message":"...","hint":"...","docs":"/docs/errors#<code>"}\`.\n\n${
    rows.join("\n")
  }\n## Read next\n\n[The guide]($CONVENE/help), [every operation]($CONVENE/docs/api).\n`;
}
