import type { Child } from "hono/jsx";

/** A text with a button that copies it; `children`: one that the page's script completes. */
export function CopyText({ text, label, children }: { text?: string; label: string; children?: Child }) {
  return (
    <div class="copy-text">
      <pre tabindex={0}>{text ?? children}</pre>
      <button type="button" data-copy="text">{label}</button>
    </div>
  );
}

/** A button that copies the curl command that reads the element; the key c on its address does the same. */
export function Copy() {
  return (
    <button type="button" class="copy" data-copy="get" tabindex={-1} title="Copy as curl (key: c)">
      curl
    </button>
  );
}
