import type { Browser, CDPSession } from "npm:playwright-core@1.64.1";

/** A tab of one window: the one that is shown hides the others. */
export interface Tab {
  /** The value of an expression of the page, which must be JSON. */
  evaluate<T>(expression: string): Promise<T>;
  /** Comes back once an expression is true in the page. */
  until(expression: string): Promise<void>;
  show(): Promise<void>;
  press(key: string): Promise<void>;
  /** A picture of the tab as it is shown, as PNG. */
  picture(): Promise<Uint8Array>;
}

const UNTIL_MS = 15_000;

/**
 * Opens tabs as a person does. Playwright's own pages all count as seen at a time, so these are opened past it.
 * `background`: the tab is not shown.
 */
export async function createTabs(browser: Browser) {
  const cdp = await browser.newBrowserCDPSession();
  return async function open(url: string, { background = false } = {}): Promise<Tab> {
    const { targetId } = await cdp.send("Target.createTarget", { url, background });
    const { sessionId } = await cdp.send("Target.attachToTarget", { targetId, flatten: false });
    const send = createSend(cdp, sessionId);

    async function evaluate<T>(expression: string): Promise<T> {
      const query = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await send("Runtime.evaluate", query);
      if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
      return result.value;
    }

    return {
      evaluate,
      async until(expression) {
        const deadline = Date.now() + UNTIL_MS;
        // The tab may still be on its way to the page.
        const isTrue = () => evaluate(`document.readyState === "complete" && Boolean(${expression})`);
        while (!await isTrue().catch(falseBetweenPages)) {
          if (Date.now() > deadline) throw new Error(`After ${UNTIL_MS} ms not so: ${expression}`);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
      async show() {
        await cdp.send("Target.activateTarget", { targetId });
      },
      async press(key) {
        const text = key === "Enter" ? "\r" : undefined;
        const event = { key, code: key, windowsVirtualKeyCode: KEYS[key], text };
        await send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
        await send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
      },
      async picture() {
        const { data } = await send("Page.captureScreenshot", { format: "png" });
        return Uint8Array.fromBase64(data);
      },
    };
  };
}

const KEYS: Record<string, number> = { Enter: 13, Tab: 9 };

/** What a tab says that has left one page and has not begun the next. */
function falseBetweenPages(error: Error): false {
  if (error.message.includes("Cannot find default execution context")) return false;
  throw error;
}

/** Sends commands of the debugging protocol to one target, through the session of the browser. */
function createSend(cdp: CDPSession, sessionId: string) {
  let last = 0;
  // deno-lint-ignore no-explicit-any -- what comes back is of as many shapes as there are commands
  return (method: string, params: object): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      function hear(event: { sessionId: string; message: string }) {
        const message = JSON.parse(event.message);
        if (event.sessionId !== sessionId || message.id !== id) return;
        cdp.off("Target.receivedMessageFromTarget", hear);
        if (message.error) reject(new Error(`${method}: ${message.error.message}`));
        else resolve(message.result);
      }
      cdp.on("Target.receivedMessageFromTarget", hear);
      const message = JSON.stringify({ id, method, params });
      cdp.send("Target.sendMessageToTarget", { sessionId, message }).catch(reject);
    });
}
