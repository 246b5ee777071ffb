import { ask, hasToken } from "./token.js";

/** Opens a stream of events. With a token it is read by `fetch`, since an EventSource sends no header. */
export function openStream(url) {
  return hasToken() ? new TokenStream(url) : new EventSource(url);
}

const { CONNECTING, OPEN, CLOSED } = EventSource;

/** Like an EventSource: it resumes a stream that ends, and gives up one that is refused, whose `status` it has then. */
class TokenStream extends EventTarget {
  readyState = CONNECTING;
  status = 0;
  #last = "";
  #retry = 1_000;
  #end = new AbortController();

  constructor(url) {
    super();
    this.#run(url);
  }

  close() {
    this.readyState = CLOSED;
    this.#end.abort();
  }

  async #run(url) {
    while (this.readyState !== CLOSED) {
      await this.#follow(url).catch(() => {});
      if (this.#end.signal.aborted) return;
      if (this.readyState !== CLOSED) this.readyState = CONNECTING;
      this.dispatchEvent(new Event("error"));
      await new Promise((resolve) => setTimeout(resolve, this.#retry));
    }
  }

  async #follow(url) {
    const headers = { Accept: "text/event-stream", ...this.#last && { "Last-Event-ID": this.#last } };
    const response = await ask(url, { headers, signal: this.#end.signal });
    this.status = response.status;
    if (!response.ok) {
      this.readyState = CLOSED;
      return;
    }
    this.readyState = OPEN;
    this.dispatchEvent(new Event("open"));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) this.#tell(event.split("\n"));
    }
  }

  #tell(lines) {
    const all = (name) =>
      lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
    const [retry] = all("retry");
    if (retry) this.#retry = Number(retry);
    this.#last = all("id").at(-1) ?? this.#last;
    if (!lines.some((line) => line.startsWith("data:"))) return;
    const message = { data: all("data").join("\n"), lastEventId: this.#last };
    this.dispatchEvent(new MessageEvent(all("event").at(-1) ?? "message", message));
  }
}
