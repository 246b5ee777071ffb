export interface Stmt {
  sql: string;
  named_args?: Array<{ name: string; value: Cell }>;
  want_rows: boolean;
}

export interface Step {
  stmt: Stmt;
  condition?: Condition;
}

type Condition = { type: "ok"; step: number } | { type: "not"; cond: Condition };

/** `value` is a text for an integer, and missing for null. */
export interface Cell {
  type: "text" | "integer" | "float" | "null";
  value?: string | number;
}

export interface StmtResult {
  cols: Array<{ name: string }>;
  rows: Cell[][];
}

interface BatchResult {
  step_results: Array<StmtResult | null>;
  step_errors: Array<Told | null>;
}

interface Told {
  message: string;
  code?: string;
}

/** An error that the server reports, by a code or by the status of its answer. */
export class ServerError extends Error {
  readonly code?: string;
  constructor({ message, code }: Told, readonly status?: number) {
    super(message);
    this.code = code;
  }
}

/** Makes a call and returns its whole answer. */
export type Post = (url: string, body: string) => Promise<{ response: Response; text: string }>;

type Request =
  | { type: "execute"; stmt: Stmt }
  | { type: "batch"; batch: { steps: Step[] } }
  | { type: "close" };

interface Answer {
  baton: string | null;
  base_url: string | null;
  results: Array<{ type: "ok"; response: { result: unknown } } | { type: "error"; error: Told }>;
}

/**
 * A stream of a libSQL server: a connection to its database, by Hrana 2 over HTTP.
 * Errors: `ServerError`, those of the call.
 */
export type Stream = ReturnType<typeof openStream>;

/** Opens a stream with its first call. That call runs `first` before all else, and ignores its results. */
export function openStream(base: string, post: Post, first: Stmt[] = []) {
  let url = pipelineOf(base);
  let baton: string | null = null;
  const before = first.map((stmt): Request => ({ type: "execute", stmt }));

  async function call(requests: Request[]): Promise<Answer["results"]> {
    const { response, text } = await post(url, JSON.stringify({ baton, requests }));
    if (!response.ok) throw errorOf(response, text);
    const answer: Answer = JSON.parse(text);
    baton = answer.baton;
    if (answer.base_url) url = pipelineOf(answer.base_url);
    return answer.results;
  }

  async function run(request: Request): Promise<unknown> {
    const result = (await call([...before.splice(0), request])).at(-1)!;
    if (result.type === "error") throw new ServerError(result.error);
    return result.response.result;
  }

  return {
    execute: async (stmt: Stmt) => await run({ type: "execute", stmt }) as StmtResult,
    /** Runs steps in order. A step whose condition is not met brings null. */
    batch: async (steps: Step[]) => await run({ type: "batch", batch: { steps } }) as BatchResult,
    /** Closes it at the server, which forgets an idle one in any case. */
    close() {
      if (baton !== null) call([{ type: "close" }]).catch(() => {});
    },
  };
}

function pipelineOf(base: string): string {
  return new URL("v2/pipeline", base).href;
}

function errorOf({ status, headers }: Response, text: string): ServerError {
  const isJson = headers.get("Content-Type") === "application/json";
  return new ServerError(isJson ? JSON.parse(text) : { message: text }, status);
}
