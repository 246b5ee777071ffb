import type { Context } from "hono";
import { RequestError } from "../errors.ts";
import { peerOf } from "./caller.ts";
import { createHosts, hostIn, type Hosts, isAddress } from "./hosts.ts";
import { isLoopback, isPrivate } from "./networks.ts";
import { createReport } from "../reports.ts";

export interface BrowserOptions {
  /** Serves everybody, whatever the other options. */
  public: boolean;
  /** Origins (as `originOf` returns them) whose pages may call the instance; `*`: all. */
  allowedOrigins: readonly string[] | "*";
}

export const BROWSERS: BrowserOptions = { public: false, allowedOrigins: [] };

const SETTINGS =
  "Its operator sets ALLOWED_ORIGINS (http://name:port) where the name is right, or TRUSTED_PROXIES " +
  "and PUBLIC_URL where the instance is there for everybody.";

const REPORT_EVERY_MS = 60_000;

/** Names that no public name server resolves, so that no foreign page can have them. */
const OWN_NAME = /^[^.]+$|(?:^|\.)localhost\.?$|\.(?:local|internal|lan|home\.arpa)\.?$/;

/**
 * Refuses what is not meant for this instance. Errors: `invalid_request` if Host is no host; `forbidden` for requests
 * of foreign pages from a loopback or private address, since such an instance is a developer's.
 */
export function createBrowserGuard(options: BrowserOptions): (c: Context) => void {
  const hostsOf = createHosts();
  const allowed = new Set(options.allowedOrigins);
  const allowedHosts = new Set([...allowed].filter(isWeb).map((origin) => new URL(origin).hostname));
  const open = options.public || options.allowedOrigins === "*";

  const isOwnName = (host: string) => OWN_NAME.test(host);
  const isPrivateName = (host: string) => isAddress(host) || isOwnName(host);
  const isOwn = (host: string) => isPrivateName(host) || allowedHosts.has(host);
  let own: Hosts | undefined; // the last ones that passed; most requests name the same
  const report = createReport(REPORT_EVERY_MS, sayForeign);

  /** Does not compare Origin with Host: after DNS rebinding they are equal. */
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
    const isPlain = origin === undefined && !hasEffect(c);
    if (isPlain && hosts === own || !isNear(c) || c.req.path === "/healthz") return;
    const foreign = hosts.find((host) => !isOwn(host));
    if (foreign !== undefined) {
      report(foreign);
      throw foreignHost();
    }
    own = hosts;
    if (origin === undefined) {
      if (!isPlain) judgeEffect(c, hosts);
    } else if (!mayCall(origin, hosts)) throw foreignPage();
  };

  /**
   * Judges a request with an effect that names no origin, by what else browsers tell. A person may open a code by a link;
   * an image, a frame and what is loaded in advance ask for as many as the page likes, unseen.
   */
  function judgeEffect({ req }: Context, hosts: Hosts): void {
    // What a foreign page has a browser load in advance comes as if a person had typed its address.
    if (req.header("sec-purpose") !== undefined) throw foreignPage();
    const isJoin = isJoinPath(req.path);
    const site = req.header("sec-fetch-site");
    if (site !== undefined) {
      // Names that others may share a site with are the listed ones alone.
      const isOther = site === "cross-site" || site === "same-site" && !hosts.every(isPrivateName);
      if (isOther && !(isJoin && isOpened(req))) throw foreignPage();
    } else if ((isJoin ? !asksForPage(req) : req.query("agent")) && isOfUnknownPage(req, hosts)) {
      throw unknownPage();
    }
  }

  /**
   * Tells whether any page may have made a browser send a request. Over plain HTTP browsers send Sec-Fetch-* to this
   * machine alone, and a page may keep its address out of Referer, but neither of the two other headers; no program
   * sends both. With a method other than these, browsers tell the Origin.
   */
  function isOfUnknownPage(req: Context["req"], hosts: Hosts): boolean {
    if (req.method !== "GET" && req.method !== "HEAD") return false;
    const referer = req.header("referer");
    if (referer) return !isOwnPage(referer, hosts);
    return /^Mozilla\//.test(req.header("user-agent") ?? "") && req.header("accept-language") !== undefined;
  }

  function isOwnPage(address: string, hosts: Hosts): boolean {
    const url = URL.parse(address);
    return url !== null && (mayCall(url.origin, hosts) || hosts.includes(url.hostname));
  }
}

function isJoinPath(path: string): boolean {
  return path.startsWith("/join/");
}

/**
 * Normalizes an origin to what browsers send: scheme, host, and a port other than the scheme's default. Undefined for
 * any other text, such as `null`.
 */
export function originOf(text: string): string | undefined {
  if (/^https?:\/\/[^/?#\\@\s]+$/i.test(text)) {
    const url = URL.parse(text);
    return url && hostIn(url.host) ? url.origin : undefined;
  }
  return /^[a-z][a-z\d+.-]*:\/\/[\w.:-]+$/i.test(text) ? text.toLowerCase() : undefined;
}

/** Returns false for the origins of extensions and other programs. */
function isWeb(origin: string): boolean {
  return /^https?:/.test(origin);
}

/** Tells whether a request comes from this machine or its networks; false if the runtime does not tell. */
function isNear(c: Context): boolean {
  const address = peerOf(c);
  return address !== undefined && (isLoopback(address) || isPrivate(address));
}

/**
 * Finds requests that have an effect though they are a GET, which links, images and frames of any page send without an
 * Origin. Their pages cannot read the answer. But a wait shows an agent as waiting, and wrong codes are used up for this
 * machine.
 */
function hasEffect({ req }: Context): boolean {
  return isJoinPath(req.path) || /\/wait\/*$/.test(req.path);
}

/** Tells whether a browser asks for a page: to open it, or in a frame, which nothing else in the request tells apart. */
export function asksForPage(req: Context["req"]): boolean {
  return req.header("accept")?.includes("text/html") === true;
}

/** Tells whether a browser opens what it asks for in a tab or a window, where its user sees it. */
function isOpened(req: Context["req"]): boolean {
  const dest = req.header("sec-fetch-dest") ?? "document";
  return req.header("sec-fetch-mode") === "navigate" && dest === "document";
}

/** Logs refusals, since operators do not see answers and `/healthz` answers under any name. */
function sayForeign(times: number, host: string): string {
  return `Refused ${times} requests by names that are not this instance's, the last by ${host}. ${SETTINGS}`;
}

function foreignHost() {
  return new RequestError("forbidden", "This instance does not answer to this name.", {
    hint: `Call it by its address, or as localhost. ${SETTINGS}`,
  });
}

function foreignPage() {
  return new RequestError("forbidden", "This instance refuses requests from pages of this origin.", {
    hint:
      "The operator can add the origin to ALLOWED_ORIGINS, so that its pages may read and write every room, or set " +
      "PUBLIC_URL if the instance is public. Programs need not send an Origin.",
  });
}

function unknownPage() {
  return new RequestError(
    "forbidden",
    "This instance refuses this request of a browser that does not say for whose page.",
    {
      hint:
        "Send a wait as POST: then the browser says it. Programs send no Referer. The operator can let every page call, by " +
        "ALLOWED_ORIGINS=* or PUBLIC_URL.",
    },
  );
}
