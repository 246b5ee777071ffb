import { raw } from "hono/html";
import { Marked } from "marked";
import { type Assets, Layout, type Markup } from "./layout.tsx";

const markdownToHtml = new Marked({
  renderer: {
    heading({ tokens, depth }) {
      const text = this.parser.parseInline(tokens);
      return `<h${depth} id="${slug(text)}">${text}</h${depth}>`;
    },
    code({ text }) {
      // A block that is wider than the page is scrolled, with the keyboard too.
      return `<pre tabindex="0"><code>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</code></pre>`;
    },
  },
});

/** The address of a heading within the page. */
function slug(heading: string): string {
  return heading.toLowerCase().replaceAll(/<[^>]*>|&\w+;/g, "").replaceAll(/[^a-z0-9_]+/g, "-").replaceAll(
    /^-|-$/g,
    "",
  );
}

/** The guide as a page. `markdown` is our own text, not a stranger's. */
export function guidePage(markdown: string, assets: Assets): Markup {
  return (
    <Layout title="Convene: the guide" assets={assets}>
      <header class="top">
        <a class="brand" href="/">Convene</a>
        <nav aria-label="Pages">
          <a href="/">Start</a>
          <a href="/guide" aria-current="page">Guide</a>
        </nav>
      </header>
      <main class="prose">{raw(markdownToHtml.parse(markdown, { async: false }))}</main>
    </Layout>
  );
}
