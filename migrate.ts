import { database } from "./main.ts";

await database.migrate();
await database.close();
console.log("The database is up to date.");
Deno.exit(0);
