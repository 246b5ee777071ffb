/** What a tab keeps under this name and a room's id. Other tabs, and other rooms, know nothing of it. */
const NAME = "convene.token.";
/** Under this one, the token whose place one from the address has taken: until that is accepted. */
const BEFORE = "convene.before.";

/** The room that the address names. */
export const room = new URLSearchParams(location.search).get("room") ?? "";

/** This page's address without its fragment. Its path alone may be none: one with two slashes begins with a host. */
const here = location.origin + location.pathname + location.search;

let token = kept(NAME + room);
let before = kept(BEFORE + room);

/** Returns the text that the tab keeps under a name; undefined if there is none. */
export function kept(name) {
  try {
    return sessionStorage.getItem(name) ?? undefined;
  } catch {
    return undefined; // the browser keeps nothing for this page
  }
}

/** Keeps a text, or nothing, under a name. Returns false where the tab keeps nothing. */
export function keep(name, text) {
  try {
    if (text === undefined) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Takes the token from the fragment, which leaves the address and the history at once. False if there is none. Anybody can
 * write a link: the token that the tab had is kept until this one is accepted.
 */
export function takeToken() {
  const [, given] = /[#&]token=([^&]*)/.exec(location.hash) ?? [];
  if (given === undefined) return false;
  history.replaceState(history.state, "", here);
  if (token !== given) keep(BEFORE + room, before ??= token);
  keepToken(room, given);
  return true;
}

/** Forgets the token that the tab had before, since this one is accepted. */
export function settleToken() {
  keep(BEFORE + room, before = undefined);
}

/** Takes back the token that the tab had before. Returns false if there was none. */
export function takeBack() {
  const own = before;
  settleToken();
  if (own !== undefined) keepToken(room, own);
  return own !== undefined;
}

/** Keeps a room's token for this tab. Returns false where the tab keeps nothing: then it lasts as long as the page. */
export function keepToken(room, given) {
  token = given;
  return keep(NAME + room, given);
}

/** Goes to a room's page, under a token if one is given. Where the tab keeps nothing, the token goes along. */
export function openRoom(id, given) {
  const isKept = given === undefined || keepToken(id, given);
  location.href = `/?room=${encodeURIComponent(id)}${isKept ? "" : `#token=${given}`}`;
}

/** Forgets a token that is not accepted, or no more. */
export function dropToken() {
  keep(NAME + room, token = undefined);
}

/** The statuses of a token that is not accepted. */
export const REFUSED = [401, 403, 404];

/** Asks for this page with a token. Returns null where the token does not count. Errors: the service does not answer. */
export async function pageWith(given = token) {
  if (!/^[!-~]+$/.test(given)) return null;
  const headers = { Accept: "text/html", Authorization: `Bearer ${given}` };
  const response = await fetch(here, { headers });
  if (REFUSED.includes(response.status)) return null;
  if (!response.ok) throw new Error(String(response.status));
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  // An open room is shown to whoever sends what is no token.
  return "token" in page.body.dataset ? page : null;
}

/** Returns the token, for whoever holds it to keep it elsewhere. */
export function keptToken() {
  return token;
}

export function hasToken() {
  return token !== undefined;
}

/** Fetches from the service with the page's token, if it has one. */
export function ask(url, { headers, ...init } = {}) {
  const shown = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return fetch(url, { ...init, headers: { ...headers, ...shown } });
}
