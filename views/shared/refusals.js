/** Says that no answer came, or none of the service's. */
export const AWAY = "The service does not answer. Try again in a moment.";

/** What to do on a page, where it is not what a program does. */
const CURES = {
  id_unavailable:
    "It may be that of a locked room, which opens to a token or a join code of it, or of a room that was deleted just now: then try again in a moment. Or take another id.",
  unauthenticated: "Use a token of this room, by the button for tokens at the top.",
  room_not_found: "It is gone, or your token has ended: load the page again.",
};

/**
 * Sends a request with a JSON body, by `fetch` or one like it. Errors: what the service says, and what to do instead;
 * `refused`: the same again would be, too.
 */
export async function post(url, body, { send = fetch, headers } = {}) {
  const response = await send(url, { method: "POST", headers, body: JSON.stringify(body) }).catch(() =>
    undefined
  );
  const answer = await response?.json().catch(() => undefined);
  if (!answer) throw new Error(AWAY);
  if (response.ok) return answer;
  throw Object.assign(new Error(wordsOf(answer)), { refused: response.status < 500 });
}

/** Words a refusal, with what to do instead. */
export function wordsOf({ error, message, hint }) {
  const cure = CURES[error] ?? hint;
  return cure ? `${message} ${cure}` : message;
}
