import { faultOf } from "./db/driver/faults.ts";
import { database } from "./main.ts";

try {
  await database.migrate();
} catch (error) {
  const { cause } = error as Error;
  if (cause === undefined || !["lost", "refused"].includes(faultOf(cause).kind)) throw error;
  Deno.exit(1); // the log has said why
}
await database.close();
console.log("The database is up to date.");
Deno.exit(0);
