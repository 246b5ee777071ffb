/** A server that does nothing: what the load client reaches with it is the ceiling of every other figure. */
import { serveScript } from "./script.ts";

serveScript(() => Response.json({ ok: true }));
