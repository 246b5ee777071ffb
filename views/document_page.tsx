import { raw } from "hono/html";
import { Marked } from "marked";
import { type Assets, Layout, type Markup, Top } from "./shared/layout.tsx";

/** Markdown as HTML, whose headings have addresses of their own. */
function htmlOf(markdown: string): string {
  const taken = new Map<string, number>();
  const own = (name: string) => {
    const times = (taken.get(name) ?? 0) + 1;
    taken.set(name, times);
    return times === 1 ? name : `${name}-${times}`;
  };
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const text = this.parser.parseInline(tokens);
        return `<h${depth} id="${own(slug(text))}">${text}</h${depth}>`;
      },
      code({ text }) {
        // Scrolls a block that is wider than the page, by keyboard too.
        return `<pre tabindex="0"><code>${
          text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
        }</code></pre>`;
      },
    },
  });
  return marked.parse(markdown, { async: false });
}

/** The address of a heading within the page. */
function slug(heading: string): string {
  return heading.toLowerCase().replaceAll(/<[^>]*>|&\w+;/g, "").replaceAll(/[^a-z0-9_]+/g, "-").replaceAll(
    /^-|-$/g,
    "",
  );
}

/**
 * The guide or another document as a page, whose title is by default its first heading. `markdown` is trusted: it is not
 * sanitized.
 */
export function documentPage(
  markdown: string,
  { title, description, isGuide }: { title?: string; description: string; isGuide: boolean },
  assets: Assets,
): Markup {
  const [, heading] = /^# (.+)$/m.exec(markdown) ?? [];
  return (
    <Layout title={title ?? `${heading} · Convene`} description={description} assets={assets}>
      <Top>
        <a href="/">Start</a>
        <a href="/guide" aria-current={isGuide ? "page" : undefined}>Guide</a>
      </Top>
      <main class="prose">{raw(htmlOf(markdown))}</main>
    </Layout>
  );
}
