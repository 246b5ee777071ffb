/**
 * A server that does nothing but answer `GET /N` with N bytes: what the load client reaches with it is the ceiling of
 * every other figure.
 */
import { serveScript } from "./script.ts";

serveScript((request) => new Response("x".repeat(Number(new URL(request.url).pathname.slice(1)))));
