import type { Connection } from "../../db/driver/connection.ts";

/** Runs an action once, after the next read of a connection: between what is read and the write that depends on it. */
export function meddler() {
  let meddle: (() => unknown) | undefined;
  return {
    once: (action: () => unknown) => void (meddle = action),
    wrap: (connection: Connection): Connection => ({
      async send(statements, mode) {
        const rows = await connection.send(statements, mode);
        const action = mode === "read" ? meddle : undefined;
        if (action) {
          meddle = undefined;
          await action();
        }
        return rows;
      },
      close: () => connection.close(),
    }),
  };
}
