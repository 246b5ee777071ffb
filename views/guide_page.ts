import { raw } from "hono/html";
import { marked } from "marked";
import { layout, type Markup } from "./layout.ts";

/** The guide as a page. `markdown` is our own text, not a stranger's. */
export function guidePage(markdown: string): Markup {
  return layout({
    title: "Convene",
    body: raw(`<main class="prose">${marked.parse(markdown, { async: false })}</main>`),
  });
}
