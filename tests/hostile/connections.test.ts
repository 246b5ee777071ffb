import assert from "node:assert/strict";
import { backends, Subject } from "../support/backends.ts";
import { OTHERS_MS } from "../support/bounds.ts";
import { mostOf, startProbe } from "../support/probe.ts";

const CONNECTIONS = 50;
const encoder = new TextEncoder();

/** Sends text as it is and gives what comes back until the other end closes, it is enough, or `ms` have passed. */
async function raw(
  url: string,
  text: string,
  ms: number,
  isEnough: (answer: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const timer = setTimeout(() => connection.close(), ms);
  let answer = "";
  try {
    await connection.write(encoder.encode(text));
    const buffer = new Uint8Array(64 * 1024);
    for (let read; !isEnough(answer) && (read = await connection.read(buffer)) !== null;) {
      answer += new TextDecoder().decode(buffer.subarray(0, read));
    }
    clearTimeout(timer);
    connection.close();
  } catch {
    // Closed by the timer, or by the other end in the middle.
    clearTimeout(timer);
  }
  return answer;
}

Deno.test("slow, half, broken and piled up requests leave the instance well", async () => {
  const service = await backends[0]!.open({ RATE_LIMIT: "0" });
  try {
    const t = new Subject(service.url);
    const room = await t.room();
    const peace = await startProbe(t);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const usual = mostOf(await peace.stop());
    const put = `PUT /rooms/${room}/state HTTP/1.1\r\nHost: x\r\n`;
    const body = '{"key":"k","value":1}';
    const hostile = [
      "P",
      "PUT ",
      put,
      `${put}Content-Length: 1000\r\n\r\n{"key":`,
      `${put}Transfer-Encoding: chunked\r\n\r\n5\r\n{"key`,
      `${put}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `${put}Content-Length: -1\r\n\r\n`,
      `${put}Content-Length: 99999999999999999999\r\n\r\n`,
      `${put}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{"a":`,
      `${put}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${put}${"X: y\r\n".repeat(5_000)}\r\n`,
      `${put}X: ${"y".repeat(100_000)}\r\n\r\n`,
      `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      "GET / HTTP/9.9\r\n\r\n",
      "\u0000\u0001\u0002\r\n\r\n",
      "GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: %\u0000\r\n\r\n",
      ...["%", "a b", "[", "a:99999", ""].flatMap((host) =>
        ["/", "/?room=x", "/rooms?limit=1", "/guide"].map((path) =>
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
        )
      ),
      "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    const probe = await startProbe(t);
    await Promise.all(hostile.map(async (text) => {
      const answer = await raw(service.url, text, 1_500);
      assert.doesNotMatch(
        answer,
        /^HTTP\/1\.1 5|\.ts:\d|file:\/\/|SQLITE_/,
        `${text.slice(0, 200)}\n${answer}`,
      );
    }));

    const pipelined = `${put}Content-Length: ${body.length}\r\n\r\n${body}`.repeat(20);
    const succeeded = (answer: string) => answer.match(/HTTP\/1\.1 200/g)?.length;
    const piled = await raw(service.url, pipelined, 2_000, (answer) => succeeded(answer) === 20);
    assert.equal(succeeded(piled), 20);

    const aborted = Array.from({ length: CONNECTIONS }, async () => {
      const controller = new AbortController();
      const body = new ReadableStream<Uint8Array>({
        start: (stream) => stream.enqueue(encoder.encode('{"key":')),
      });
      const sent = fetch(`${service.url}/rooms/${room}/state`, {
        method: "PUT",
        body,
        signal: controller.signal,
      });
      setTimeout(() => controller.abort(), 50);
      await assert.rejects(sent);
    });
    await Promise.all(aborted);

    const slowest = mostOf(await probe.stop());
    assert.ok(slowest - usual < OTHERS_MS, `others waited ${Math.round(slowest)} ms, usually ${usual}`);
    assert.equal((await t.write(room, "k", 2)).version, 21);
  } finally {
    await service.stop();
  }
});
