import assert from "node:assert/strict";
import { Client, type Json } from "./support/client.ts";
import { type Service, startService } from "./support/service.ts";

/*
 * The guide is run as it stands, from top to bottom.
 * - `sh` blocks: each command is followed by a line `# <status> <JSON>`. The answer must have that status
 *   and contain that JSON: objects may have more members, lists have exactly the elements shown.
 * - `cel` blocks: each line is `<expression> // <JSON>`, or `// <code>` where the evaluation fails; words may
 *   follow a colon.
 */

interface Step {
  source: string;
  run(service: Service): Promise<void>;
}

Deno.test("every command and expression of the guide answers what the guide says", async (t) => {
  const service = await startService();
  try {
    const guide = await (await fetch(service.url)).text();
    const steps = stepsOf(guide);
    assert.ok(steps.length > 40, `only ${steps.length} steps were found`);
    for (const { source, run } of steps) {
      const passed = await t.step({ name: source.split("\n")[0]!, fn: () => run(service) });
      if (!passed) break; // what follows builds on it
    }
  } finally {
    await service.stop();
  }
});

Deno.test("every command of the pages beside the guide answers what the page says", async (t) => {
  const service = await startService();
  try {
    const pages = await Promise.all(
      ["cel", "waits", "patterns", "integrations"].map(async (name) =>
        (await fetch(`${service.url}/docs/${name}`)).text()
      ),
    );
    const steps = pages.flatMap(stepsOf);
    assert.ok(steps.length > 30, `only ${steps.length} steps were found`);
    for (const { source, run } of steps) {
      if (!await t.step({ name: source, fn: () => run(service) })) break;
    }
  } finally {
    await service.stop();
  }
});

Deno.test("the guide that is served names the service's address and is short", async () => {
  const service = await startService();
  try {
    const guide = await (await fetch(service.url)).text();
    assert.ok(guide.includes(`curl -s ${service.url}/rooms -d`));
    assert.ok(!guide.includes("$CONVENE"));
    // Some 4,750 tokens of o200k and cl100k, of which an address of a loopback port takes 11 each time.
    assert.ok(guide.length < 15_550, `${guide.length} characters: each agent reads them all`);
  } finally {
    await service.stop();
  }
});

function stepsOf(markdown: string): Step[] {
  const blocks = markdown.matchAll(/^```(sh|cel)\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, language, text]) =>
    language === "sh" ? commands(text!) : expressions(text!)
  );
}

function commands(block: string): Step[] {
  const found = [...block.matchAll(/(.+?)\n# (\d{3})(?: ([^\n]+))?\n/gsy)];
  assert.equal(found.map(([all]) => all).join(""), block, "a command without its answer");
  return found.map(([, source, status, shown]) => ({
    source: source!,
    async run() {
      const answer = await shell(source!);
      assert.equal(answer.status, Number(status), answer.body);
      if (shown) assertContains(JSON.parse(answer.body), JSON.parse(shown));
    },
  }));
}

function expressions(block: string): Step[] {
  return block.trimEnd().split("\n").map((line) => {
    const [, source, shown] = /^(.+?) +\/\/ (".*?"|\[.*?\]|\w+)(?:: .*)?$/.exec(line) ?? [];
    assert.ok(source && shown, `no expression with its value: ${line}`);
    return {
      source,
      async run({ url }: Service) {
        const { body } = await new Client(url).post("/rooms/demo/eval", { agent: "alice", expr: source });
        assert.deepEqual(
          body.cause?.code ?? body.value,
          body.cause ? shown : JSON.parse(shown),
          body.message,
        );
      },
    };
  });
}

/** Runs a command in bash. Every `curl` in it also prints its status to stderr; the last one counts. */
async function shell(command: string): Promise<{ status: number; body: string }> {
  const curl = `curl() { command curl --noproxy '*' -w '%{stderr}%{http_code}\\n' "$@"; }`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `${curl}\n${command}`],
    stdin: "null",
  }).output();
  const complaints = new TextDecoder().decode(stderr);
  assert.equal(code, 0, complaints);
  return {
    status: Number(complaints.trim().split("\n").at(-1)),
    body: new TextDecoder().decode(stdout),
  };
}

function assertContains(actual: Json, shown: Json, path = "the answer"): void {
  if (shown === null || typeof shown !== "object") return assert.deepEqual(actual, shown, path);
  assert.ok(actual !== null && typeof actual === "object", `${path} is ${JSON.stringify(actual)}`);
  if (Array.isArray(shown)) assert.equal(actual.length, shown.length, `${path}: ${JSON.stringify(actual)}`);
  for (const name of Object.keys(shown)) assertContains(actual[name], shown[name], `${path}.${name}`);
}
