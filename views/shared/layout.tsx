import type { Child } from "hono/jsx";

export type Markup = ReturnType<typeof Layout>;

/** The folder of style sheet and scripts; its name changes with any of them. */
export interface Assets {
  base: string;
}

/**
 * A whole page. `description`: for search results and previews. `script`: keeps the page live; optional to readers.
 * `then`: the script that this one starts.
 */
export function Layout({ title, description, assets, script, then, body, children }: {
  title: string;
  description: string;
  assets: Assets;
  script?: string;
  then?: string;
  body?: Record<string, string>;
  children?: Child;
}) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="description" content={description} />
        <title>{title}</title>
        <link rel="icon" href={`${assets.base}/icon.svg`} type="image/svg+xml" />
        <link rel="stylesheet" href={`${assets.base}/page.css`} />
        {then && <link rel="modulepreload" href={`${assets.base}/${then}`} />}
        {script && <script type="module" src={`${assets.base}/${script}`} />}
      </head>
      <body {...body} data-script={then && `${assets.base}/${then}`}>{children}</body>
    </html>
  );
}

/** The header of a page that is of no room; `children`: links to other pages. */
export function Top({ isFirst = false, children }: { isFirst?: boolean; children?: Child }) {
  return (
    <header class="top">
      <a class="brand" href="/" aria-current={isFirst ? "page" : undefined}>Convene</a>
      {children && <nav aria-label="Pages">{children}</nav>}
    </header>
  );
}

/** Renders a page. */
export function page(markup: Markup): string {
  return `<!doctype html>\n${markup}`;
}
