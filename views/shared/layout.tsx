import type { Child } from "hono/jsx";

export type Markup = ReturnType<typeof Layout>;

/** Where the style sheet and the scripts are: the same folder for as long as none of them changes. */
export interface Assets {
  base: string;
}

/**
 * A whole page. `description`: what lists of pages and previews of links say of it. `script`: the file that keeps it
 * alive; the page is complete without it.
 */
export function Layout({ title, description, assets, script, body, children }: {
  title: string;
  description: string;
  assets: Assets;
  script?: string;
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
        {script && <script type="module" src={`${assets.base}/${script}`} />}
      </head>
      <body {...body}>{children}</body>
    </html>
  );
}

/** A page as it is sent. */
export function page(markup: Markup): string {
  return `<!doctype html>\n${markup}`;
}
