/** Slips outside of strings in a text that is no JSON, with what to write instead; the first that matches counts. */
const OUTSIDE: Array<[slip: RegExp, hint: string]> = [
  [/^\s*'/, `Windows shells leave '...' around what they send: write -d "{\\"key\\":\\"value\\"}".`],
  [/^[\w.%+-]+=|^--[^]*Content-Disposition/i, `Send JSON instead of a form: -d '{"key":"value"}'.`],
  [/[\u201c-\u201f\u2018-\u201b]/, `Write plain double quotes (") in place of typographic ones.`],
  [/[{[,:]\s*'/, `JSON has double quotes only: {"key":"value"}. In a shell put '...' around the body.`],
  [/""[A-Za-z_(]/, `Write a double quote within a text as \\", or use ' there: CEL takes both.`],
  [
    /[{,]\s*[A-Za-z_$][\w$-]*\s*:/,
    `Put names in double quotes: {"key":"value"}. In a shell put '...' around the body, else it takes them away.`,
  ],
  [/,\s*[}\]]/, "Take away the comma before the closing bracket."],
  [/\b(?:True|False|None|undefined|NaN|Infinity)\b/, "JSON has true, false and null, and numbers that end."],
  [/\/\/|\/\*|^\s*#/, "JSON has no comments."],
  [/[[,:]\s*(?:[-+]?\.\d|\+|-?0[\dx])/, "Write numbers as 0.5, 7 or -2e3."],
  [/""\s*""|[\d\]}el]\s*""/, "A comma is missing between two members."],
];

const TOO_EARLY = "It ends too early: a quote or a bracket is not closed.";

/** Slips by the parser's message, with what to write instead. */
const SAID: Array<[slip: RegExp, hint: string]> = [
  [/control character/i, "Write a new line within a text as \\n, a tab as \\t."],
  [
    /escape/i,
    'Within a text a backslash stands before ", \\, /, b, f, n, r, t or u alone: write \\\\ for itself.',
  ],
  [/end of JSON|Unterminated/i, TOO_EARLY],
  [/after JSON/i, "Send one JSON object, and nothing after it."],
];

const ANY = "In a shell, quote the body with '...'.";

/** Returns a hint for a text that is no JSON. `said` is the parser's message. */
export function slipOf(text: string, said: string): string {
  const outside = withoutStrings(text);
  const seen = OUTSIDE.find(([slip]) => slip.test(outside)) ?? SAID.find(([slip]) => slip.test(said));
  const position = /at position (\d+)/.exec(said)?.[1];
  return seen?.[1] ?? (Number(position) === text.length ? TOO_EARLY : ANY);
}

function withoutStrings(text: string): string {
  const pieces: string[] = [];
  let from = 0;
  for (let start = text.indexOf('"'); start >= 0; start = text.indexOf('"', from)) {
    pieces.push(text.slice(from, start), '""');
    from = endOfString(text, start) + 1;
  }
  return pieces.join("") + text.slice(from);
}

/** Returns the index of a string's closing quote. */
export function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
