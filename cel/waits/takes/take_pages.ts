import type { Query } from "../../../db/consistent_read/read.ts";
import type { Row } from "../../../db/driver/statement.ts";
import { selectMessages } from "../../../db/messages/listing.ts";
import { type Message, toMessage } from "../../../db/messages/message.ts";
import { isTask, selectOpen, type Wanted } from "../../../db/messages/open.ts";
import { mapYielding } from "../../../db/yield.ts";

/** The filters of a take. */
type Filters = Wanted & { thread?: number };

/** Open messages that pass the filters, by id. */
export interface Page {
  messages: Message[];
  /** How many messages were examined, and up to which id. */
  passed: number;
  reached: number | undefined;
  /** There are more messages after `reached`. */
  more: boolean;
}

/** The result of a query; `more`: it was cut. */
interface Found {
  messages: Message[];
  more: boolean;
}

/** The queries of a page. A result depends on the query alone, so pages may share it. */
interface PageQuery {
  queries: Query[];
  read: Array<(rows: Row[]) => Promise<Found>>;
  pageOf(found: Found[]): Page;
}

/** Makes the queries of the next messages that pass the filters, at most `left` after an id. */
export function pageOf(asked: Filters, after: number | undefined, left: number): PageQuery {
  const { thread, to } = asked;
  if (thread !== undefined) return threadPage({ ...asked, thread }, after, left);
  const addresses = to === undefined ? ["nobody", "somebody"] as const : ["somebody"] as const;
  const pages = addresses.map((address) => selectOpen(asked, address, { after, left }));
  return {
    queries: pages.map(({ statement }) => statement),
    read: pages.map(({ read }) => read),
    pageOf(found) {
      // Beyond the end of a cut result, the other result's messages may not be the next ones.
      const known = Math.min(...found.map(({ messages, more }) => more ? messages.at(-1)!.id : Infinity));
      const all = found.flatMap(({ messages }) => messages).sort((a, b) => a.id - b.id);
      const messages = all.filter(({ id }) => id <= known).slice(0, left);
      const more = messages.length < all.length || found.some((page) => page.more);
      return { messages, passed: messages.length, reached: messages.at(-1)?.id, more };
    },
  };
}

/** The same for a thread, which is walked for all open messages in it. */
function threadPage(
  { room, thread, kind, from, to, agent }: Filters & { thread: number },
  after: number | undefined,
  left: number,
): PageQuery {
  const isFor = ({ to_agent }: Message) =>
    to === undefined ? [null, agent].includes(to_agent) : to_agent === to;
  return {
    queries: [selectMessages(room, { thread, kind, from, unclaimed: true, after, limit: left })],
    read: [async (rows) => ({
      messages: await mapYielding(rows.slice(0, left), (row) => toMessage(row)),
      more: rows.length > left,
    })],
    pageOf([found]) {
      const { messages: all, more } = found!;
      const messages = all.filter((message) =>
        isFor(message) && (kind !== undefined || isTask(message.kind))
      );
      return { messages, passed: all.length, reached: all.at(-1)?.id, more };
    },
  };
}

/** The distinct queries of pages, by their text. */
export function distinct(pages: PageQuery[]): Map<string, Query> {
  return new Map(pages.flatMap(({ queries }) => queries).map((query) => [JSON.stringify(query), query]));
}

/** Makes pages of the rows of their distinct queries. Reads the rows of each query once. */
export function readPages(pages: PageQuery[], results: Row[][]): Promise<Page[]> {
  const rows = new Map([...distinct(pages).keys()].map((name, n) => [name, results[n]!]));
  const found = new Map<string, ReturnType<PageQuery["read"][number]>>();
  return Promise.all(pages.map(async ({ queries, read, pageOf }) => {
    const own = queries.map((query, n) => {
      const name = JSON.stringify(query);
      const reading = found.get(name) ?? read[n]!(rows.get(name)!);
      found.set(name, reading);
      return reading;
    });
    return pageOf(await Promise.all(own));
  }));
}
