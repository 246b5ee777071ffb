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
  stop(): Promise<void>;
}

async function start(flags: string[] = []): Promise<Started> {
  const service = await startService();
  try {
    const browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS, ...flags] });
    return {
      service,
      browser,
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

let shared: Promise<Started> | undefined;

Deno.test.afterAll(async () => {
  const started = await shared?.catch(() => undefined);
  await started?.stop();
});

/** Runs a test with the service and the browser that its file's tests share. What it opened is closed after it. */
export async function withBrowser(test: (visit: Visit) => Promise<void>): Promise<void> {
  const started = await (shared ??= start());
  try {
    await visit(started, test);
  } finally {
    await Promise.all(started.browser.contexts().map((context) => context.close()));
  }
}

/** Runs a test with a service and a browser of its own. */
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

async function visit({ service, browser }: Started, test: (visit: Visit) => Promise<void>): Promise<void> {
  const folder = Deno.env.get("SCREENSHOTS");
  if (folder) await Deno.mkdir(folder, { recursive: true });
  const complaints: string[] = [];
  await test({
    t: new Subject(service.url),
    service,
    browser,
    complaints,
    async open(path, { width, height, scheme } = VIEWS[0]!) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
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
