import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { guidePage } from "../../views/guide_page.tsx";
import { page } from "../../views/shared/layout.tsx";
import { wordOf } from "../../views/shared/addresses.ts";
import { ASSETS, GUARDS } from "./assets.ts";
import { createShelf, sendKept } from "./kept.ts";
import { LIMITS } from "../http/limits.ts";
import type { Services } from "../services.ts";

export const MARKDOWN = "text/markdown";
/** A text of ours, as Markdown in which `$CONVENE` is the address. */
export interface Text {
  /** Under what it is kept. */
  name: string;
  /** What it tells, in a sentence. */
  about: string;
  text(address: string): string;
}

/** Sends documents: those for an address are made once. */
export type Documents = ReturnType<typeof createDocuments>;

export function createDocuments({ addressOf, hasOneAddress }: Services) {
  const kept = createShelf();
  // By the Host or by what a proxy says a caller chooses the address: others must not be shown it from a shared cache.
  const caching = `${hasOneAddress ? "public" : "private"}, max-age=${LIMITS.documentSeconds}`;

  async function send(
    c: Context,
    name: string,
    type: string,
    make: (address: string) => string,
  ): Promise<Response> {
    const address = addressOf(c);
    const charset = type === "application/json" ? "" : "; charset=utf-8";
    const headers = { "Content-Type": `${type}${charset}`, ...(type === "text/html" && GUARDS) };
    const text = await kept(`${name} ${type} ${address}`, () => make(address));
    return await sendKept(c, text, caching, headers);
  }

  /** What a caller reads: Markdown, or a page where it asks for one. */
  function typeFor(c: Context): string {
    c.header("Vary", "Accept");
    const supports = [MARKDOWN, "text/plain", "text/html"];
    return accepts(c, { header: "Accept", supports, default: MARKDOWN });
  }

  /** A text of ours: Markdown, or a page to whoever asks for one. */
  function sendText(c: Context, { name, about, text }: Text): Promise<Response> {
    const type = typeFor(c);
    const made = (address: string) => withAddress(text(address), address);
    if (type !== "text/html") return send(c, name, type, made);
    return send(c, name, type, (address) => page(guidePage(made(address), about, ASSETS)));
  }

  return { send, sendText, typeFor };
}

/** Addresses within commands, as words of a shell that nothing quotes yet. */
const WORDS = /((?:curl|claude mcp add) [^\n"'`$]*)\$CONVENE([^\s`]*)/g;

/** Puts the address in as it is: `replaceAll` takes a text with `$` in it for a pattern. */
export function withAddress(text: string, address: string): string {
  return text.replaceAll(WORDS, (_, command, path) => command + wordOf(address + path))
    .replaceAll("$CONVENE", () => address);
}
