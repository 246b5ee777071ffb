import { NewerDatabase } from "./db/migrate.ts";
import { database } from "./main.ts";

try {
  await database.migrate();
} catch (error) {
  if (!((error as Error).cause instanceof NewerDatabase)) throw error;
  Deno.exit(1); // the log has said why
}
await database.close();
console.log("The database is up to date.");
Deno.exit(0);
