import type { Attempt } from "./attempt.ts";
import { badAnswer } from "./errors.ts";

/**
 * The most UTF-16 units of an answer: the longest text that Deno, Node and Chrome hold. The service has no lower bound
 * that covers all: a room's state may be 10,000 values of 64 KiB, and is one answer.
 */
const MAX = 2 ** 29 - 24;

/** Reads an answer to its end, or until it is longer than any that could be parsed. Errors: `no_answer`, `bad_answer`. */
export async function readText(response: Response, attempt: Attempt): Promise<string> {
  // Those of some `fetch` that is not the platform's have no such stream, and redirects in browsers no body.
  if (!response.body?.getReader) return await attempt.reads(response.text());
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (let text = "";;) {
    const { done, value } = await attempt.reads(reader.read());
    const piece = decoder.decode(value, { stream: !done });
    if (text.length + piece.length > MAX) {
      reader.cancel().catch(() => {}); // not awaited: the sender need not answer
      throw badAnswer("The answer is longer than any of the service.");
    }
    text += piece;
    if (done) return text;
  }
}

/** Returns the text that is a member of an answer. Errors: `bad_answer`. */
export function textIn(answer: object, name: string): string {
  const text = (answer as Record<string, unknown>)[name];
  if (typeof text === "string") return text;
  throw badAnswer(`The answer has no ${name}, and is not one of Convene.`);
}

/** Checks that an answer says that something was done. Errors: `bad_answer`. */
export function checkDone(answer: object, name: string): void {
  if ((answer as Record<string, unknown>)[name] === true) return;
  throw badAnswer(`The answer does not say ${name}, and is not one of Convene.`);
}

/** Reads the JSON of an object, or of a list. Errors: `bad_answer`. */
export function parsed<T>(text: string, isList = false): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badAnswer("The answer is not JSON.", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) !== isList) {
    throw badAnswer(`The answer is no ${isList ? "list" : "object"}.`);
  }
  return value as T;
}
