import type { Context } from "hono";
import { documentPage } from "../../views/document_page.tsx";
import { page } from "../../views/shared/layout.tsx";
import { wordOf } from "../../views/shared/addresses.ts";
import { ASSETS } from "./assets.ts";
import { createTextCache, sendCached } from "./cached_text.ts";
import { GUARDS, textTypeFor } from "./headers.ts";
import { LIMITS } from "../http/limits.ts";
import type { Services } from "../services.ts";

/** A text as Markdown, in which `$CONVENE` stands for the address. It may have parts that not all instances send. */
export interface Text {
  /** Its name in the cache. */
  name: string;
  /** The title of its page. Default: its first heading. */
  title?: string;
  /** Its content in a sentence. */
  about: string;
  text(address: string): string;
}

export type Documents = ReturnType<typeof createDocuments>;

export function createDocuments({ addressOf, hasOneAddress, rules }: Services) {
  const cached = createTextCache();
  // Without PUBLIC_URL the caller chooses the address, by Host or a proxy's header: no shared cache may store it.
  const caching = `${hasOneAddress ? "public" : "private"}, max-age=${LIMITS.documentSeconds}`;

  async function send(
    c: Context,
    name: string,
    type: string,
    make: (address: string) => string,
  ): Promise<Response> {
    const address = addressOf(c);
    const charset = type === "application/json" ? "" : "; charset=utf-8";
    const headers = { "Content-Type": `${type}${charset}`, ...(type === "text/html" && GUARDS) };
    const text = await cached(`${name} ${type} ${address}`, () => make(address));
    return await sendCached(c, text, caching, headers);
  }

  /** Returns a text without the parts that this instance does not send. */
  function ownParts(text: string): string {
    const [first, ...parts] = text.split(PART);
    const own = (part: string, n: number) => {
      const instances = parts[n - 1]!;
      if (n % 2 === 0 || !isSent(instances, rules)) return "";
      return instances === LOCKING && !rules.openRooms ? inLockedRooms(part) : part;
    };
    return first + parts.map(own).join("");
  }

  function sendText(c: Context, { name, title, about, text }: Text): Promise<Response> {
    const type = textTypeFor(c);
    const made = (address: string) => withAddress(ownParts(text(address)), address);
    if (type !== "text/html") return send(c, name, type, made);
    const told = { title, description: about, isGuide: name === "guide" };
    return send(c, name, type, (address) => page(documentPage(made(address), told, ASSETS)));
  }

  return { send, sendText, ownParts };
}

/** The line at which a part of a text begins. It names the instances that send the part. */
const PART = /^<!-- (.*) -->\n\n/m;

/** Names all instances; where only locked rooms are made, the part's commands make and use those. */
const LOCKING = "everywhere, in locked rooms where no others are made";

/** Commands that make an open room, and those that use one without a token, each as a line of its own. */
const MAKES = /^curl -s \$CONVENE\/rooms -d '\{("id":[^\n]*)\}'$/gm;
const USES = /^(curl (?![^\n]*Authorization)[^\n]*?)("\$CONVENE\/rooms\/[^\n"]*"|\$CONVENE\/rooms\/\S+)/gm;

/** Changes commands, so that each room is locked and its token kept in a variable of the shell, which all others show. */
function inLockedRooms(text: string): string {
  return text.replaceAll(
    USES,
    (_, command, address) => `${command}${address} -H "Authorization: Bearer $TOKEN"`,
  )
    .replaceAll(
      MAKES,
      (_, members) =>
        `a=$(curl -s $CONVENE/rooms -d '{${members},"locked":true}'); echo "$a"\n` +
        `TOKEN=$(echo "$a" | grep -o 'cvn_a_[0-9A-Za-z]*')`,
    );
}

/** Whether an instance sends a part, by the part's first line. */
function isSent(instances: string, { openRooms, listRooms }: Services["rules"]): boolean {
  switch (instances) {
    case "everywhere":
    case LOCKING:
      return true;
    case "where open rooms are made":
      return openRooms;
    case "where only locked rooms are made":
      return !openRooms;
    case "where everybody lists rooms":
      return openRooms && listRooms;
    default:
      throw new Error(`A text has a part for unknown instances: ${instances}`);
  }
}

/** Addresses within commands, unquoted. */
const WORDS = /((?:curl|claude mcp add) [^\n"'`$]*)\$CONVENE([^\s`]*)/g;

/** Inserts the address literally, by functions: `replaceAll` interprets `$` in a text. */
export function withAddress(text: string, address: string): string {
  return text.replaceAll(WORDS, (_, command, path) => command + wordOf(address + path))
    .replaceAll("$CONVENE", () => address);
}
