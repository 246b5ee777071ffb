/** Prints how long the service's modules take to load in a fresh process. */
const began = performance.now();
await Promise.all([import("../../main.ts"), import("@libsql/hrana-client")]);
console.log(performance.now() - began);
Deno.exit(0);
