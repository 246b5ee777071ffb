import type { z } from "zod";

/** Said of what is not there, whichever rule missed it. */
export const MISSING = "is missing";

/** When everything in the document's examples happened. */
export const EXAMPLE_TIME = "2026-11-22T04:20:00.000Z";

/** What a schema expects, for callers who know JSON and not the library of schemas. */
const EXPECTED: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "a JSON object",
  record: "a JSON object",
};

/** What callers send as text that holds it. */
const STRUCTURED = new Set(["array", "object", "record"]);

/** An error map of zod: what is wrong with a value of whose rule the schema does not say it in words of its own. */
export function plainly(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${EXPECTED[issue.expected] ?? issue.expected}${
        STRUCTURED.has(issue.expected) && typeof issue.input === "string" ? ", not text" : ""
      }`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value: unknown) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return `must ${bound(issue.origin)} ${
        issue.inclusive === false ? "more than" : "at least"
      } ${issue.minimum}`;
    case "too_big":
      return `must ${bound(issue.origin)} ${
        issue.inclusive === false ? "less than" : "at most"
      } ${issue.maximum}`;
  }
}

function bound(origin: string): string {
  return ["number", "int"].includes(origin) ? "be" : "hold";
}
