import type { z } from "zod";

/** The message for an absent member, whichever rule requires it. */
export const MISSING = "is missing";

/** What to do with a value that is nested too deep. */
export const DEEPER = "Send deeper parts as text.";

/** The time of everything in the OpenAPI document's examples. */
export const EXAMPLE_TIME = "2026-11-22T04:20:00.000Z";

/** Words zod's types for callers. */
const EXPECTED: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "a JSON object",
  record: "a JSON object",
};

/** Types that callers send as text by mistake. */
const STRUCTURED = new Set(["array", "object", "record"]);

/** Words an issue whose rule has no message of its own (an error map of zod). */
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
