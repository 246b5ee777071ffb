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
  /** Keeps a picture of a page, to be looked at. */
  shoot(page: Page, name: string): Promise<void>;
  /** Keeps such a picture that was taken already. */
  keep(name: string, png: Uint8Array): Promise<void>;
}

/** A test that needs the browser. Where there is none it is left out, but for CI, which must have it. */
export function browserTest(name: string, test: () => Promise<void>): void {
  const missing = !exists(EXECUTABLE) && !Deno.env.get("CI");
  if (missing) console.warn(`Left out, without a browser at ${EXECUTABLE}: ${name}`);
  Deno.test({ name, ignore: missing, fn: test });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Runs a test with a service of its own and a browser. Pictures go to SCREENSHOTS, or a temporary folder. */
export async function withBrowser(
  test: (visit: Visit) => Promise<void>,
  flags: string[] = [],
): Promise<void> {
  const service = await startService();
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS, ...flags] });
  const folder = Deno.env.get("SCREENSHOTS") ?? await Deno.makeTempDir({ prefix: "convene-shots-" });
  await Deno.mkdir(folder, { recursive: true });
  const complaints: string[] = [];
  try {
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
        await page.screenshot({ path: `${folder}/${name}.png` });
      },
      keep: (name, png) => Deno.writeFile(`${folder}/${name}.png`, png),
    });
  } finally {
    await browser.close();
    await service.stop();
  }
}
