import type { Attempt } from "./attempt.ts";
import { badAnswer } from "./errors.ts";

/** The most UTF-16 units of an event: what changed in one revision is told whole, at most some 1,000 bodies of 64 KiB. */
const MAX = 2 ** 27;

/**
 * Reads a stream of Server-Sent Events to its end. One without data keeps the connection alive, or tells the stream's
 * position. `silence`: the milliseconds without a byte after which it counts as broken. Errors: `no_answer`,
 * `bad_answer`.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  attempt: Attempt,
  silence: number,
): AsyncGenerator<ReturnType<typeof eventOf>, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    attempt.within(silence);
    const { done, value } = await attempt.reads(reader.read());
    attempt.within(); // the time that the caller takes does not count as silence
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop()!;
    if (rest.length > MAX) throw badAnswer("An event is longer than any of the service.");
    yield* blocks.map(eventOf);
  }
}

function eventOf(block: string) {
  const fields = block.split("\n").map((line) => /^(\w*):? ?(.*)$/s.exec(line)!);
  const all = (name: string) => fields.filter((field) => field[1] === name).map((field) => field[2]!);
  const id = all("id").at(-1);
  return { id: id === undefined ? undefined : Number(id), data: all("data").join("\n") };
}
