/** What a tab keeps under this name and a room's id. Other tabs, and other rooms, know nothing of it. */
const NAME = "convene.token.";

/** The room that the address names. */
const room = new URLSearchParams(location.search).get("room") ?? "";

let token = kept();

function kept() {
  try {
    return sessionStorage.getItem(NAME + room) ?? undefined;
  } catch {
    return undefined; // the browser keeps nothing for this page
  }
}

/** Takes the token from the fragment, which leaves the address and the history at once. False if there is none. */
export function takeToken() {
  const [, given] = /[#&]token=([^&]*)/.exec(location.hash) ?? [];
  if (given === undefined) return false;
  history.replaceState(history.state, "", location.pathname + location.search);
  keepToken(room, given);
  return true;
}

/** Keeps a room's token for this tab. */
export function keepToken(room, given) {
  token = given;
  try {
    sessionStorage.setItem(NAME + room, given);
  } catch {
    // It lasts as long as the page.
  }
}

/** Forgets a token that is not accepted, or no more. */
export function dropToken() {
  token = undefined;
  try {
    sessionStorage.removeItem(NAME + room);
  } catch {
    // It was never kept.
  }
}

export function hasToken() {
  return token !== undefined;
}

/** Fetches from the service with the page's token, if it has one. */
export function ask(url, { headers, ...init } = {}) {
  const shown = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return fetch(url, { ...init, headers: { ...headers, ...shown } });
}
