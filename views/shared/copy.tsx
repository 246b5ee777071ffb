/** A text to be taken along, with a button where there is a script. */
export function CopyText({ text, label }: { text: string; label: string }) {
  return (
    <div class="copy-text">
      <pre tabindex={0}>{text}</pre>
      <button type="button" data-copy="text">{label}</button>
    </div>
  );
}

/** Copies the request that reads this; with the keyboard: c on the thing's address. */
export function Copy() {
  return (
    <button type="button" class="copy" data-copy="get" tabindex={-1} title="Copy as curl (key: c)">
      curl
    </button>
  );
}
