/** An error code. */
export interface Row {
  status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503;
  /** The reason and what to do about it, as Markdown for /docs/errors. */
  cause: string;
  cure: string;
  /** Members of the answer besides `error`, `message`, `hint` and `docs`; `?` marks optional ones. */
  members?: string[];
  /** Words the API's refusal. Its parameter declares the facts that a refusal with this code carries. */
  say?: (facts: never) => Words;
}

/** The members of an error's answer after `error`, in order. */
export interface Words {
  message: string;
  hint?: string;
  [member: string]: unknown;
}

/** Tells that something is not in the room; `id` is "" if the caller's text cannot be an id. */
export const noneIn = (what: string, id: string) =>
  `There is no ${id === "" ? `such ${what}` : `${what} ${JSON.stringify(id)}`} in this room.`;

export const named = (key: string, scope: string) => `${JSON.stringify(key)} in ${JSON.stringify(scope)}`;
