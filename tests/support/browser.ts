import { type Browser, chromium, type Page } from "npm:playwright-core@1.64.1";
import { type Service, startService } from "./service.ts";
import { Subject } from "./backends.ts";

const EXECUTABLE = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface View {
  width: number;
  height: number;
  scheme: "light" | "dark";
}

/** Two widths in both schemes. */
export const VIEWS: View[] = [
  { width: 1400, height: 900, scheme: "light" },
  { width: 1400, height: 900, scheme: "dark" },
  { width: 390, height: 800, scheme: "light" },
  { width: 390, height: 800, scheme: "dark" },
];

export interface Visit {
  t: Subject;
  service: Service;
  browser: Browser;
  /** Opens a page; what it complains of is collected. */
  open(path: string, view?: View): Promise<Page>;
  /** Errors and refused loads that any page met. */
  complaints: string[];
  /** Keeps a picture of a page, to be looked at, where SCREENSHOTS names a folder. */
  shoot(page: Page, name: string): Promise<void>;
  /** Keeps such a picture that is taken by another way. */
  keep(name: string, picture: () => Promise<Uint8Array>): Promise<void>;
}

/** Resolves once the page of a room shows what happens there as it happens. */
export const untilLive = (page: Page) => page.waitForSelector("#live[data-state=live]");

/** A test that needs the browser. Where there is none it is left out, but for CI, which must have it. */
export function browserTest(name: string, test: () => Promise<void>): void {
  const missing = !exists(EXECUTABLE) && !Deno.env.get("CI");
  if (missing) console.warn(`Left out, without a browser at ${EXECUTABLE}: ${name}`);
  // What a file's tests share is started by the first that needs it and outlives it.
  Deno.test({ name, ignore: missing, sanitizeOps: false, sanitizeResources: false, fn: test });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

interface Started {
  service: Service;
  browser: Browser;
  newPage(view: View): Promise<Page>;
  stop(): Promise<void>;
}

async function start(flags: string[] = []): Promise<Started> {
  const service = await startService();
  try {
    const browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS, ...flags] });
    return {
      service,
      browser,
      newPage: ({ width, height, scheme }) =>
        browser.newPage({ viewport: { width, height }, colorScheme: scheme }),
      async stop() {
        await browser.close();
        await service.stop();
      },
    };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** The shared browser; what a test opened there is closed by `clear`. */
interface Shared extends Started {
  clear(): Promise<void>;
}

let shared: Promise<Shared> | undefined;

/**
 * All pages of a site are in one context and one process, which a page that stays open keeps: to start a process and
 * compile a page there takes half a second of the processor. A page stores what it keeps for its tab alone.
 */
async function startShared(): Promise<Shared> {
  const started = await start(["--process-per-site"]);
  const { browser, service } = started;
  try {
    const context = await browser.newContext();
    const first = await context.newPage();
    await first.goto(new URL("/healthz", service.url).href);
    return {
      ...started,
      async newPage({ width, height, scheme }) {
        const page = await context.newPage();
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: scheme });
        return page;
      },
      async clear() {
        const pages = context.pages().filter((page) => page !== first);
        const contexts = browser.contexts().filter((other) => other !== context);
        await Promise.all([...pages, ...contexts].map((opened) => opened.close()));
        await context.clearPermissions();
      },
    };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

Deno.test.afterAll(async () => {
  const started = await shared?.catch(() => undefined);
  await started?.stop();
});

/** Runs a test with the service and the browser that its file's tests share. What it opened is closed after it. */
export async function withBrowser(test: (visit: Visit) => Promise<void>): Promise<void> {
  const started = await (shared ??= startShared());
  try {
    await visit(started, test);
  } finally {
    await started.clear();
  }
}

/** Runs a test with a service and a browser of its own, where each page has a context and a process of its own. */
export async function withOwnBrowser(
  test: (visit: Visit) => Promise<void>,
  flags: string[] = [],
): Promise<void> {
  const started = await start(flags);
  try {
    await visit(started, test);
  } finally {
    await started.stop();
  }
}

async function visit(
  { service, browser, newPage }: Started,
  test: (visit: Visit) => Promise<void>,
): Promise<void> {
  const folder = Deno.env.get("SCREENSHOTS");
  if (folder) await Deno.mkdir(folder, { recursive: true });
  const complaints: string[] = [];
  await test({
    t: new Subject(service.url),
    service,
    browser,
    complaints,
    async open(path, view = VIEWS[0]!) {
      const page = await newPage(view);
      page.on("pageerror", (error) => complaints.push(`${path}: ${error.message}`));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(`${path}: ${message.text()}`);
      });
      await page.goto(new URL(path, service.url).href);
      return page;
    },
    async shoot(page, name) {
      if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
    },
    async keep(name, picture) {
      if (folder) await Deno.writeFile(`${folder}/${name}.png`, await picture());
    },
  });
}
