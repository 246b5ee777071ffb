import { bracketed, NEAR } from "./bracketed.ts";
import { arrow, loop } from "./foreign_loops.ts";
import { synonyms } from "./synonyms.ts";

/** Syntax of another language at the position where parsing failed, and a hint that says what CEL has for it. */
interface Foreign {
  readonly position: number;
  /** The text that is not CEL. */
  readonly token: string;
  readonly hint: string;
}

/**
 * A form of foreign syntax: `before` matches its text up to the position where parsing failed, `rest` from there on.
 * The first form that matches applies.
 */
interface Form {
  readonly before?: RegExp;
  readonly rest?: RegExp;
  readonly hint: string | ((around: Around) => string | undefined);
}

interface Around {
  /** The source before the form; `right`: from its end on. */
  readonly left: string;
  readonly right: string;
  readonly token: string;
}

const CONDITIONAL = "Write `condition ? a : b`.";
const TEXT_OF_PARTS = 'Write `"..." + string(x)`, or `"...%s".format([x])`.';
const CHANGES_NOTHING =
  "An expression cannot change anything. Write `x + 1`; to change a key, send a write with `increment`.";

/** CEL's operators for infix words of other languages. */
const INFIX = synonyms([
  ["&&", "and"],
  ["||", "or"],
  ["==", "is", "eq", "equals"],
  ["!=", "ne"],
  [">", "gt"],
  [">=", "gte", "ge"],
  ["<", "lt"],
  ["<=", "lte", "le"],
  ["%", "mod"],
  ["/", "div"],
]);

/** CEL's operators for characters of keyboards and mathematics. */
const CHARACTERS = synonyms([
  [">=", "≥"],
  ["<=", "≤"],
  ["!=", "≠", "^"],
  ["&&", "∧"],
  ["||", "∨"],
  ["!", "¬"],
  ["in", "∈"],
  ["-", "−", "–", "—"],
  ["*", "×"],
  ["/", "÷"],
  [",", "，"],
  ["(", "（"],
  [")", "）"],
  [":", "："],
]);

const FORMS: readonly Form[] = [
  { before: /\?$/, rest: /^\?=?/, hint: fallback },
  { before: /\?$/, rest: /^\.(?=\s*[A-Za-z_[])/, hint: chained },
  { before: /\bin\s*\([^()]*$/, rest: /^,/, hint: "Write `x in [a, b]`: a list has square brackets." },
  { rest: /^between\b/i, hint: "Write `x >= a && x <= b`." },
  { rest: /^not\s+in\b/i, hint: "Write `!(a in b)`." },
  { rest: /^is\s+not\s+(?:None|null)\b/i, hint: "Write `!= null`." },
  { rest: /^is\s+(?:None|null)\b/i, hint: "Write `== null`." },
  { rest: /^is\s+not\b/i, hint: "Write `!=`." },
  { before: /(?<![\w.])not\s+$/i, hint: negated },
  { before: /==$/, rest: /^=/, hint: "Write `==`." },
  { before: /!=$/, rest: /^=/, hint: "Write `!=`." },
  { before: /<$/, rest: /^>/, hint: "Write `!=`." },
  { rest: /^=</, hint: "Write `<=`." },
  { rest: /^=~/, hint: 'Write `.matches("...")`.' },
  { rest: /^=>/, hint: arrow },
  { before: /-$/, rest: /^>/, hint: arrow },
  { rest: /^(?:,\s*\w+\s*)+\)\s*=>/, hint: arrow },
  { before: /\blambda\s+$/, hint: loop },
  { rest: /^for\b/, hint: loop },
  { before: /[-+*/%]$/, rest: /^=/, hint: CHANGES_NOTHING },
  { rest: /^:?=/, hint: "Compare with `==`." },
  { rest: /^:\w[\w:-]*/, hint: ({ left, token }) => bracketed(left, token) },
  { rest: /^(?:if|then|else|elif|unless|switch|when)\b/, hint: CONDITIONAL },
  { rest: /^return\b/, hint: "Leave out `return`: the expression is the result." },
  { rest: /^(?:let|const|var)\b/, hint: "Write `cel.bind(x, value, result)`." },
  { rest: /^function\b/, hint: loop },
  { before: /(?<![\w.])typeof\s+$/, hint: "Write `type(x)`." },
  { rest: /^instanceof\b/, hint: "Write `type(x) == string`." },
  { before: /(?<![\w.])new\s+$/, hint: 'Write `timestamp("...")` for a time, `now` for the current time.' },
  { before: /(?<![\w.])await\s+$/, hint: "Leave out `await`." },
  { rest: /^(?:contains|includes)\b/, hint: "Write `.contains(...)`." },
  { rest: /^(?:matches|like|startsWith|endsWith)\b/, hint: method },
  { rest: /^[A-Za-z]+(?!\w)/, hint: ({ token }) => operator(INFIX[token.toLowerCase()]) },
  { before: /\+$/, rest: /^\+/, hint: CHANGES_NOTHING },
  { before: /(?<=[\w)\]}]\s*)--\s*$/, hint: CHANGES_NOTHING },
  { before: /\*$/, rest: /^\*/, hint: "CEL has no power operator. Write `x * x`." },
  { rest: /^\+/, hint: "Leave out the `+`." },
  { rest: /^\.\.\./, hint: "Join lists with `+`: `[1] + list`." },
  { rest: /^&/, hint: "Write `&&`." },
  { rest: /^\|/, hint: "Write `||`." },
  { rest: /^;\s*$/, hint: "Leave out the `;`." },
  { rest: /^;/, hint: "Write one expression: join conditions with `&&`." },
  { before: /(?<![\w.])[fF]$/, rest: /^["']/, hint: TEXT_OF_PARTS },
  { rest: /^`[^`]*\$\{/, hint: TEXT_OF_PARTS },
  { rest: /^`/, hint: 'Write text in plain quotes: `"..."`.' },
  { rest: /^["'][^]*[“”„«»‘’]/, hint: 'Write plain quotes on both sides: `"..."`.' },
  { rest: /^[“”„«»‘’‚]/, hint: 'Write plain quotes: `"..."`.' },
  { rest: /^\$/, hint: "Leave out the `$`: names need no prefix." },
  { rest: /^\/\*/, hint: "Comments begin with `//`." },
  { before: /\/$/, rest: /^\*/, hint: "Comments begin with `//`." },
  { rest: /^\/[^/]+\/[a-z]*/, hint: 'Write a pattern as text: `.matches("...")`.' },
  { rest: /^#/, hint: "Comments begin with `//`." },
  {
    rest: /^[\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/,
    hint: "Write a plain space.",
  },
  { rest: /^[^ -~]|^\^/u, hint: ({ token }) => operator(CHARACTERS[token]) },
  { before: /(?<![\w.])\d+\.\s*$/, hint: ({ token }) => `Write \`${token.trim()}0\`.` },
  { before: /\.$/, rest: /^\d+/, hint: numbered },
  { before: /\.\??$/, rest: /^(?:in|true|false|null)\b/, hint: reserved },
];

/** Finds another language's syntax at the position where parsing failed; undefined for none that is known. */
export function foreignSyntax(source: string, position: number): Foreign | undefined {
  const before = source.slice(Math.max(0, position - NEAR), position);
  const rest = source.slice(position, position + NEAR);
  for (const form of FORMS) {
    const head = form.before ? form.before.exec(before)?.[0] : "";
    const tail = form.rest ? form.rest.exec(rest)?.[0] : "";
    if (head === undefined || tail === undefined) continue;
    const token = head + tail;
    const left = before.slice(0, before.length - head.length);
    const hint = typeof form.hint === "string"
      ? form.hint
      : form.hint({ left, right: rest.slice(tail.length), token });
    if (hint) return { position: position - head.length, token: token.trim(), hint };
  }
  return undefined;
}

function operator(written: string | undefined): string | undefined {
  return written && `Write \`${written}\`.`;
}

const PATH =
  /(?<![\w.\])])([A-Za-z_]\w*(?:\.\w+|\[\w+\]|\["[^"\n]*"\]|\['[^'\n]*'\])*)(?:\.(\w+)|\[([^\]]*)\])\s*$/;
const OPERAND = /^\s*(-?[\d.]+|"[^"\n]*"|'[^'\n]*'|\[\]|\{\}|[A-Za-z_][\w.]*)(?=\s*(?:$|[)\],}&|=<>!+*/%-]))/;

/** The hint for `a.b ?? 0`: an optional with a default. */
function fallback({ left, right }: Around): string {
  const path = PATH.exec(left);
  const value = OPERAND.exec(right)?.[1] ?? "...";
  if (!path) return "Write `a.?key.orValue(...)`.";
  const [, base, name, index] = path;
  return `Write \`${base}${name === undefined ? `[?${index}]` : `.?${name}`}.orValue(${value})\`.`;
}

function chained({ right }: Around): string {
  const name = /^\s*(\w+)\s*(\()?/.exec(right);
  if (!name) return "Write `[?key]`, and `.orValue(...)` at the end.";
  if (name[2]) return "Leave out the `?` before a call.";
  if (name[1] === "length") return "Write `size(x)`.";
  return `Write \`.?${name[1]}\`, and \`.orValue(...)\` at the end.`;
}

function negated({ right }: Around): string {
  const operand = /^[A-Za-z_][\w.]*/.exec(right)?.[0];
  const more = operand === undefined || /^\s*(?:in\b|[=!<>+*/%-]|\()/.test(right.slice(operand.length));
  return more ? "Write `!(...)`." : `Write \`!${operand}\`.`;
}

function method({ token }: Around): string {
  return `Write \`.${token === "like" ? "matches" : token}(...)\`.`;
}

function numbered({ token }: Around): string {
  const digits = token.slice(1);
  return `Write \`["${digits}"]\` for a key, \`[${digits}]\` for an element of a list.`;
}

function reserved({ token }: Around): string {
  const name = /\w+$/.exec(token)![0];
  return `Write \`${token.includes("?") ? "[?" : "["}"${name}"]\`.`;
}
