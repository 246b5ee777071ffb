/**
 * Sends a request with a JSON body, by `fetch` or one like it. Errors: what the service says, and what to do instead;
 * `refused`: the same again would be, too.
 */
export async function post(url, body, { send = fetch, headers } = {}) {
  const response = await send(url, { method: "POST", headers, body: JSON.stringify(body) }).catch(() =>
    undefined
  );
  const answer = await response?.json().catch(() => undefined);
  if (!answer) throw new Error("The service does not answer. Try again in a moment.");
  if (response.ok) return answer;
  const { message, hint } = answer;
  throw Object.assign(new Error(hint ? `${message} ${hint}` : message), { refused: response.status < 500 });
}
