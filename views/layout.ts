import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { styles } from "./styles.ts";

export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A whole page. `reload`: seconds after which the browser asks for it again. */
export function layout({ title, reload, body }: { title: string; reload?: number; body: Markup }): Markup {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    ${reload ? html`<meta http-equiv="refresh" content="${reload}">` : ""}
    <title>${title}</title>
    <style>${styles}</style>
      </head>
      <body>${body}</body>
    </html>
  `;
}
