import type { Connection } from "../../db/driver/connection.ts";
import { createDatabase, type Database } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { createApp } from "../../routes/app.ts";
import { createServices, type ServiceOptions } from "../../routes/services.ts";
import { databaseFolder } from "./folder.ts";
import { type HeldTime, heldTime } from "./held_time.ts";
import { fileWithTables } from "./tables.ts";

export interface Batch {
  mode: "read" | "write";
  statements: Statement[];
}

/** Asks for the revisions of the rooms that are waited for. Reads that meet in the queue travel as one batch. */
export const isPoll = ({ statements }: Batch): boolean => statements.some(isPolled);

/** Reads something of a room. */
export const isLoad = ({ mode, statements }: Batch): boolean =>
  mode === "read" && !statements.every((statement) => isPolled(statement) || asksTheTime(statement));

/** Travels now and then with what is sent anyway. */
const asksTheTime = ({ sql }: Statement) => /^SELECT .* AS now$/.test(sql);

const isPolled = ({ sql }: Statement) => sql.includes(":rooms");

export interface TestApp {
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  json(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
    // deno-lint-ignore no-explicit-any -- a body is looked into, not typed
  ): Promise<{ status: number; body: any }>;
  services: ReturnType<typeof createServices>;
  app: ReturnType<typeof createApp>;
  /** Where the database is, for a connection of the test's own. */
  file: string;
  /** Everything that was sent to the database, in order. */
  batches: Batch[];
  /** Resolves with the next batch for which `matches` holds. */
  nextBatch(matches: (batch: Batch) => boolean): Promise<Batch>;
}

export interface AppOptions extends ServiceOptions {
  /** Stands between the service and its database. */
  wrap?: (connection: Connection) => Connection;
  /** Stands between the service and what it reads. */
  seen?: (database: Database) => Database;
  /** The time, where the test holds it. */
  time?: HeldTime;
}

/** Runs a test against the service in this process, on a file database of its own that is removed afterwards. */
export async function withApp(
  test: (app: TestApp) => Promise<void>,
  options: AppOptions = {},
): Promise<void> {
  const folder = await databaseFolder();
  await fileWithTables(`${folder}/convene.db`);
  const batches: Batch[] = [];
  const listeners = new Set<(batch: Batch) => void>();
  const open = async (): Promise<Connection> => {
    const file = await connect(`file:${folder}/convene.db`);
    const connection = options.wrap?.(file) ?? file;
    return {
      async send(statements, mode) {
        batches.push({ mode, statements });
        listeners.forEach((listener) => listener({ mode, statements }));
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    };
  };
  const opened = createDatabase(options.time ? heldTime(options.time, open) : { connect: open });
  const database = options.seen?.(opened) ?? opened;
  const services = createServices(database, options);
  const app = createApp(services);

  const request = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    await app.request(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  try {
    await database.migrate();
    batches.length = 0;
    await test({
      request,
      async json(...asked) {
        const response = await request(...asked);
        return { status: response.status, body: await response.json() };
      },
      services,
      app,
      file: `file:${folder}/convene.db`,
      batches,
      nextBatch: (matches) =>
        new Promise((resolve) => {
          const listener = (batch: Batch) => {
            if (!matches(batch)) return;
            listeners.delete(listener);
            resolve(batch);
          };
          listeners.add(listener);
        }),
    });
  } finally {
    await services.watch.drain();
    await database.close();
    await Deno.remove(folder, { recursive: true });
  }
}
