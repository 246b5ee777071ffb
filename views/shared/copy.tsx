/** A text with a button that copies it. */
export function CopyText({ text, label }: { text: string; label: string }) {
  return (
    <div class="copy-text">
      <pre tabindex={0}>{text}</pre>
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
