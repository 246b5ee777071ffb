import { fileURLToPath } from "node:url";
import { connect } from "../../db/driver/open.ts";
import { Subject } from "./backends.ts";
import { type HeldTime, heldTime } from "./held_time.ts";
import { serveHere } from "./here.ts";
import { eachLine, TextLineStream } from "./lines.ts";
import { holdTimers } from "./timers.ts";

/** By so much the clock of its machine differs from the database's. */
const APART_MS = 3 * 3_600_000;

/** An instance in a process of its own, which can be killed, whose database's clock a test holds. */
export interface HeldProcess extends AsyncDisposable {
  at: Subject;
  /** Makes it see the time of the test, and fires its timers of the length that is held. */
  fire(): Promise<void>;
  /** Ends it the way a crash does. */
  kill(): Promise<void>;
}

/** Starts one over a database. It holds timers of one length back. */
export async function startHeldProcess(
  database: string,
  time: HeldTime,
  timers: number,
): Promise<HeldProcess> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", fileURLToPath(import.meta.url), database, `${time.now}`, `${timers}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = process.stdin.getWriter();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  let ended: Promise<void> | undefined;
  async function end() {
    process.kill("SIGKILL");
    await process.status;
    await lines.cancel();
    await input.close().catch(() => {}); // nobody reads it any more
  }
  const kill = () => ended ??= end();
  const { value: url } = await lines.read();
  if (!url) {
    await kill();
    throw new Error("The instance did not start");
  }
  return {
    at: new Subject(url),
    async fire() {
      await input.write(new TextEncoder().encode(`${time.now}\n`));
      await lines.read();
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

if (import.meta.main) {
  const [database, now, length] = Deno.args as [string, string, string];
  const time = { now: Number(now) };
  const timers = holdTimers(Number(length));
  const clocks = { elapsed: () => time.now - Number(now), timeOfDay: () => time.now + APART_MS };
  const { url } = await serveHere({ ...heldTime(time, () => connect(database)), clocks });
  console.log(url);
  await eachLine(Deno.stdin.readable, (line) => {
    time.now = Number(line);
    timers.fire();
    console.log("fired");
  });
  Deno.exit(); // the test has ended
}
