import type { Child } from "hono/jsx";

/** A JSON value, or the beginning of one that is too long to show. */
export type Shown = { value: unknown } | { cut: string; size: number };

const PREVIEW = 72;
const LONG_TEXT = 800;
const SHORT_TEXT = 60;

/** A value as code: short ones inline, objects and lists folded behind one line, long ones cut, with their size. */
export function Value({ shown, prose = false, source }: { shown: Shown; prose?: boolean; source?: string }) {
  if ("cut" in shown) return <Cut {...shown} source={source} />;
  const { value } = shown;
  if (typeof value === "string") return prose ? <Prose text={value} /> : <Text text={value} />;
  if (typeof value !== "object" || value === null) return <code class="scalar">{String(value)}</code>;
  const json = JSON.stringify(value);
  if (json.length <= 2) return <code class="scalar">{json}</code>;
  return <Folded line={preview(value)} whole={JSON.stringify(value, null, 2)} />;
}

/** A value on one line that cannot be unfolded. */
export function Inline({ shown }: { shown: Shown }) {
  const text = "cut" in shown ? shown.cut : preview(shown.value);
  return <code class="scalar">{text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text}</code>;
}

/** A name, cut if it is long, with the number of characters cut and the whole in its title. */
export function Short({ text }: { text: string }) {
  const letters = [...text];
  if (letters.length <= SHORT_TEXT) return <span>{text}</span>;
  return (
    <span title={text}>
      {letters.slice(0, SHORT_TEXT).join("")}…
      <span class="quiet cut">{` ${count(letters.length - SHORT_TEXT)} more`}</span>
    </span>
  );
}

function Prose({ text }: { text: string }) {
  if (text.length <= LONG_TEXT) return <p class="text">{text}</p>;
  return (
    <details class="long">
      <summary>
        <span class="text">{text.slice(0, LONG_TEXT / 2)}…</span>
        <span class="quiet">{` ${count(text.length)} characters`}</span>
      </summary>
      <p class="text">{text}</p>
    </details>
  );
}

function Text({ text }: { text: string }) {
  const json = JSON.stringify(text);
  if (json.length <= PREVIEW * 2) return <code class="scalar">{json}</code>;
  return <Folded line={`${json.slice(0, PREVIEW)}…`} size={text.length} whole={text} />;
}

function Cut({ cut, size, source }: { cut: string; size: number; source?: string }) {
  return (
    <Folded line={`${cut.slice(0, PREVIEW)}…`} size={size} whole={cut}>
      <p class="quiet">
        {`${count(size - cut.length)} more characters. `}
        {source && <a href={source}>The whole value as JSON</a>}
      </p>
    </Folded>
  );
}

/** A value behind one line. `size`: the characters of one of which the line shows the beginning. */
function Folded({ line, size, whole, children }: {
  line: string;
  size?: number;
  whole: string;
  children?: Child;
}) {
  return (
    <details class="json">
      <summary>
        <code>{line}</code>
        {size !== undefined && <span class="quiet">{` ${count(size)} characters`}</span>}
      </summary>
      <pre>{whole}</pre>
      {children}
    </details>
  );
}

/** Previews a value on one line: names without quotes, nested values as their sizes. */
export function preview(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const [open, close, parts] = Array.isArray(value)
    ? ["[", "]", value.map(within)]
    : ["{", "}", Object.entries(value).map(([name, member]) => `${name}: ${within(member)}`)];
  let line = "";
  for (const [n, part] of parts.entries()) {
    const next = n === 0 ? part : `${line}, ${part}`;
    if (next.length > PREVIEW) {
      const shown = line === "" ? `${part.slice(0, PREVIEW)}…` : line;
      const hidden = parts.length - Math.max(n, 1);
      return `${open} ${shown}${hidden > 0 ? `, … ${hidden} more` : ""} ${close}`;
    }
    line = next;
  }
  return line === "" ? open + close : `${open} ${line} ${close}`;
}

function within(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? "[]" : value.length === 1 ? "[1 item]" : `[${value.length} items]`;
  }
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "{}" : "{…}";
  const json = JSON.stringify(value);
  return json.length > PREVIEW / 2 ? `${json.slice(0, PREVIEW / 2)}…` : json;
}

const count = (number: number) => number.toLocaleString("en");

/** A source with the position of its error marked. */
export function Source({ text, position }: { text: string; position?: number }) {
  if (position === undefined) return <code class="source">{text}</code>;
  const [, word = ""] = /^([\p{L}\p{N}_]+|.?)/u.exec(text.slice(position)) ?? [];
  return (
    <code class="source">
      {text.slice(0, position)}
      <mark class="fault">{word || " "}</mark>
      {text.slice(position + word.length)}
    </code>
  );
}
