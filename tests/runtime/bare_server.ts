/**
 * A server of the runtime alone, for what the runtime promises. It says by lines how far each request has come:
 * `<path> head`, `<path> body`, and `<path> gone` once it has noticed that the client has left. Under `/streamed/` an
 * answer is begun, and then goes on without an end; elsewhere there is none.
 */
const print = (path: string, what: string) => console.log(`${path} ${what}`);

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => print("/", String(port)),
}, async (request) => {
  const { pathname } = new URL(request.url);
  const left = new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
  print(pathname, "head");
  await request.text();
  print(pathname, "body");
  if (pathname.startsWith("/streamed/")) {
    const start = (controller: ReadableStreamDefaultController) => controller.enqueue(new Uint8Array(1));
    return new Response(new ReadableStream({ start, cancel: () => print(pathname, "gone") }));
  }
  await left;
  print(pathname, "gone");
  return new Response();
});
