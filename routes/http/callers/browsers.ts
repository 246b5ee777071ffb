import type { Context } from "hono";
import { RequestError } from "../errors.ts";
import { peerOf } from "./caller.ts";
import { createHosts, hostIn, type Hosts, isAddress } from "./hosts.ts";
import { isLoopback, isPrivate } from "./networks.ts";
import { createReport } from "../reports.ts";

export interface BrowserOptions {
  /** The instance is there for everybody: the rest does not count. */
  public: boolean;
  /** Origins, as `originOf` gives them, whose pages may call the instance; `*`: all. */
  allowedOrigins: readonly string[] | "*";
}

export const BROWSERS: BrowserOptions = { public: false, allowedOrigins: [] };

const SETTINGS =
  "Its operator sets ALLOWED_ORIGINS (http://name:port) where the name is right, or TRUSTED_PROXIES " +
  "and PUBLIC_URL where the instance is there for everybody.";

/** Milliseconds between two lines of the log on names that are not this instance's. */
const REPORT_EVERY_MS = 60_000;

/** Names that no public name server answers for, so that no stranger's page has them. */
const OWN_NAME = /^[^.]+$|(?:^|\.)localhost\.?$|\.(?:local|internal|lan|home\.arpa)\.?$/;

/**
 * Lets in what is for this instance. Errors: `invalid_request` where Host is no host; on a developer's instance,
 * which is called from a loopback or private address, `forbidden` for what comes of a stranger's page.
 */
export function createBrowserGuard(options: BrowserOptions): (c: Context) => void {
  const hostsOf = createHosts();
  const allowed = new Set(options.allowedOrigins);
  const allowedHosts = new Set([...allowed].filter(isWeb).map((origin) => new URL(origin).hostname));
  const open = options.public || options.allowedOrigins === "*";

  const isOwnName = (host: string) => OWN_NAME.test(host);
  const isOwn = (host: string) => isAddress(host) || isOwnName(host) || allowedHosts.has(host);
  let own: Hosts | undefined; // the last ones that were; most requests name the same
  const report = createReport(REPORT_EVERY_MS, sayForeign);

  /** That Origin equals Host proves nothing: under a name that was bound anew to this address it does. */
  function mayCall(text: string, hosts: Hosts): boolean {
    const origin = originOf(text);
    if (origin === undefined) return false;
    if (allowed.has(origin)) return true;
    if (!isWeb(origin)) return false;
    const { hostname } = new URL(origin);
    if (!isAddress(hostname)) return isOwnName(hostname);
    const address = hostname.replace(/^\[|\]$/g, "");
    return isLoopback(address) || isPrivate(address) && hosts.includes(hostname);
  }

  return function admit(c) {
    const hosts = hostsOf(c);
    if (open) return;
    const origin = c.req.header("origin");
    const isPlain = origin === undefined && !isForeignWait(c);
    if (isPlain && hosts === own || !isNear(c) || c.req.path === "/healthz") return;
    const foreign = hosts.find((host) => !isOwn(host));
    if (foreign !== undefined) {
      report(foreign);
      throw foreignHost();
    }
    own = hosts;
    if (!isPlain && (origin === undefined || !mayCall(origin, hosts))) throw foreignPage();
  };
}

/**
 * An origin as browsers send it: scheme, host, and the port where it is not the scheme's own. Undefined where the
 * text is anything else; `null` is no origin.
 */
export function originOf(text: string): string | undefined {
  if (/^https?:\/\/[^/?#\\@\s]+$/i.test(text)) {
    const url = URL.parse(text);
    return url && hostIn(url.host) ? url.origin : undefined;
  }
  return /^[a-z][a-z\d+.-]*:\/\/[\w.:-]+$/i.test(text) ? text.toLowerCase() : undefined;
}

/** False for what extensions and other programs call their origins. */
function isWeb(origin: string): boolean {
  return /^https?:/.test(origin);
}

/** Whether a request comes from this machine or its networks; false where the runtime does not tell. */
function isNear(c: Context): boolean {
  const address = peerOf(c);
  return address !== undefined && (isLoopback(address) || isPrivate(address));
}

/**
 * Links and pictures of other sites send no Origin, and their pages cannot read what comes back. A wait is the one
 * GET that does something: it shows an agent as waiting.
 */
function isForeignWait(c: Context): boolean {
  return /\/wait\/*$/.test(c.req.path) && c.req.header("sec-fetch-site") === "cross-site";
}

/** Its operator sees nothing of the answers, and `/healthz` answers under any name. */
function sayForeign(times: number, host: string): string {
  return `Refused ${times} requests by names that are not this instance's, the last by ${host}. ${SETTINGS}`;
}

function foreignHost() {
  return new RequestError("forbidden", "This instance is not called by this name.", {
    hint: `Call it by its address, or as localhost. ${SETTINGS}`,
  });
}

function foreignPage() {
  return new RequestError("forbidden", "This instance takes no requests from pages of this origin.", {
    hint:
      "Its operator adds the origin to ALLOWED_ORIGINS where its pages may read and write every room, or sets " +
      "PUBLIC_URL where the instance is there for everybody. Programs send no Origin.",
  });
}
