import { NOW } from "../../db/clock.ts";
import type { Connection } from "../../db/driver/connection.ts";
import type { DatabaseOptions } from "../../db/database.ts";

/** A time that a test holds, in milliseconds. */
export interface HeldTime {
  now: number;
}

/** Connects to a database whose clock the test holds, and the even one of the instance with it. */
export function heldTime(
  time: HeldTime,
  connect: DatabaseOptions["connect"],
): Pick<DatabaseOptions, "connect" | "clocks"> {
  const read = () => time.now;
  return { connect: async () => holdTime(time, await connect()), clocks: { elapsed: read, timeOfDay: read } };
}

/** A connection to a database whose clock the test holds. */
export function holdTime(time: HeldTime, connection: Connection): Connection {
  return {
    send: (statements, mode) =>
      connection.send(
        statements.map((statement) => {
          if (!statement.sql.includes(NOW)) return statement;
          const { sql, args } = statement;
          return { ...statement, sql: sql.replaceAll(NOW, ":held"), args: { ...args, held: time.now } };
        }),
        mode,
      ),
    close: () => connection.close(),
  };
}
