import assert from "node:assert/strict";
import { type Running, Subject } from "./support/backends.ts";
import type { Json } from "./support/client.ts";
import { startHereAlone } from "./support/here.ts";
import { bearer } from "./support/tokens.ts";

/*
 * The guide is run as it stands, from top to bottom. Variables of the shell last from command to command.
 * - `sh` blocks: each command is followed by a line `# <status> <JSON>`. The answer must have that status
 *   and contain that JSON: objects may have more members, lists have exactly the elements shown.
 * - `cel` blocks: each line is `<expression> // <JSON>`, or `// <code>` where the evaluation fails; words may
 *   follow a colon.
 */

interface Step {
  source: string;
  /** Sends it, and compares the answer, which it returns. */
  run(setting: Setting): Promise<Json>;
}

interface Setting {
  service: Running;
  shell: Shell;
  /** Where every request shows a token. */
  token?: string;
}

async function withService(
  test: (setting: Setting) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const service = await startHereAlone(env);
  const shell = await openShell();
  try {
    await test({ service, shell });
  } finally {
    await shell.close();
    await service.stop();
  }
}

const textAt = async ({ url }: Running, path: string) => await (await fetch(url + path)).text();

Deno.test("every command and expression of the guide answers what the guide says", (t) =>
  withService(async (setting) => {
    const steps = stepsOf(await textAt(setting.service, "/"));
    assert.ok(steps.length > 40, `only ${steps.length} steps were found`);
    for (const { source, run } of steps) {
      const passed = await t.step({ name: source.split("\n")[0]!, fn: () => run(setting).then(() => {}) });
      if (!passed) break; // what follows builds on it
    }
  }));

Deno.test("where only locked rooms are made the guide begins with one, whose token all the rest shows", () =>
  withService(async (setting) => {
    const guide = await textAt(setting.service, "/");
    assert.ok(guide.length < MAX_LENGTH, `${guide.length} characters`);
    const [first, ...steps] = stepsOf(guide);
    assert.ok(steps.length > 40, `only ${steps.length} steps were found`);
    const { token } = await first!.run(setting);
    const [, adding] = /`(curl\(\) \{ .* \})`/.exec(guide)!;
    setting.shell.begin(`TOKEN=${token}\n${adding}`);
    for (const { source, run } of steps) {
      await run({ ...setting, token }).catch((error) => assert.fail(`${source}\n${error.message}`));
    }
    assert.doesNotMatch(await textAt(setting.service, "/SKILL.md"), /<!--|rooms -d '\{"id":"demo"\}'/);
  }, { REQUIRE_LOCKED: "on" }));

Deno.test("where only locked rooms are made the commands of every page make and use those", () =>
  withService(async (setting) => {
    for (const name of ["cel", "waits", "patterns", "access", "integrations"]) {
      const page = await textAt(setting.service, `/docs/${name}`);
      const steps = stepsOf(page);
      assert.ok(steps.length > 2, name);
      for (const { source, run } of steps) {
        await run(setting).catch((error) => assert.fail(`${name}: ${source}\n${error.message}`));
      }
    }
    const all = await textAt(setting.service, "/llms-full.txt");
    assert.doesNotMatch(all, /<!--|rooms -d '\{"id":"\w+"\}'/);
    assert.match(all, /rooms\/vault\/state\n# 404/);
  }, { REQUIRE_LOCKED: "on" }));

Deno.test("where nobody lists rooms the guide does not say that one may", () =>
  withService(async ({ service }) => {
    const guide = await textAt(service, "/");
    assert.doesNotMatch(guide, /rooms\?limit/);
    assert.match(guide, /rooms -d '\{"id":"demo"\}'/);
  }, { LIST_ROOMS: "off" }));

Deno.test("every command of the pages beside the guide answers what the page says", (t) =>
  withService(async (setting) => {
    const pages = await Promise.all(
      ["cel", "waits", "patterns", "access", "integrations"].map((name) =>
        textAt(setting.service, `/docs/${name}`)
      ),
    );
    const steps = pages.flatMap(stepsOf);
    assert.ok(steps.length > 30, `only ${steps.length} steps were found`);
    for (const { source, run } of steps) {
      if (!await t.step({ name: source, fn: () => run(setting).then(() => {}) })) break;
    }
  }));

Deno.test("every command of the README's first room answers what the README says, to the member", () =>
  withService(async ({ service, shell }) => {
    const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
    const [, section] = /^## A first room\n(.*?)^## /ms.exec(readme)!;
    const blocks = section!.replaceAll("localhost:8000", new URL(service.url).host)
      .matchAll(/^```sh\n(.*?)^```$/gms);
    let waiting: ReturnType<Shell["run"]> | undefined; // in the first of two terminals
    let answers = 0;
    for (const [, block] of blocks) {
      let sent = block!.startsWith("# ") ? waiting : undefined;
      for (const line of block!.split("\n").filter(Boolean)) {
        if (!line.startsWith("# ")) sent = shell.run(line);
        else {
          assertShown((await sent!).body, line.slice(2)), answers++;
          sent = undefined;
        }
      }
      if (sent === undefined) continue;
      waiting = sent;
      await new Subject(service.url).agentUntil("lobby", "ada", ({ status }) => status === "waiting");
    }
    assert.equal(answers, 9);
  }));

/** The same text but for the times; where `...` stands for members, those around it. */
function assertShown(actual: string, shown: string): void {
  const withoutTimes = (text: string) => text.trim().replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
  const some = shown.replaceAll(",...", "");
  if (some === shown) assert.equal(withoutTimes(actual), withoutTimes(shown));
  else assertContains(JSON.parse(actual), JSON.parse(some));
}

/** Some 4,750 tokens of o200k and cl100k, of which an address of a loopback port takes 11 each time. */
const MAX_LENGTH = 15_550;

Deno.test("the guide that is served names the service's address and is short", () =>
  withService(async ({ service }) => {
    const guide = await textAt(service, "/");
    assert.ok(guide.includes(`curl -s ${service.url}/rooms -d`));
    assert.doesNotMatch(guide, /\$CONVENE|<!--/);
    assert.ok(guide.length < MAX_LENGTH, `${guide.length} characters: each agent reads them all`);
    assert.equal(guide.match(/Authorization: Bearer/g)?.length, 1);
  }));

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
    async run({ shell }) {
      const answer = await shell.run(source!);
      assert.equal(answer.status, Number(status), answer.body);
      const body = JSON.parse(answer.body || "null");
      if (shown) assertContains(body, JSON.parse(shown));
      return body;
    },
  }));
}

function expressions(block: string): Step[] {
  return block.trimEnd().split("\n").map((line) => {
    const [, source, shown] = /^(.+?) +\/\/ (".*?"|\[.*?\]|\w+)(?:: .*)?$/.exec(line) ?? [];
    assert.ok(source && shown, `no expression with its value: ${line}`);
    return {
      source,
      async run({ service, token }: Setting) {
        const headers = token ? bearer(token) : undefined;
        const asked = { headers, body: { agent: "alice", expr: source } };
        const { body } = await new Subject(service.url).request("POST", "/rooms/demo/eval", asked);
        assert.deepEqual(
          body.cause?.code ?? body.value,
          body.cause ? shown : JSON.parse(shown),
          body.message,
        );
        return body;
      },
    };
  });
}

interface Shell {
  /** Runs a command. The status is that of its last answer. */
  run(command: string): Promise<{ status: number; body: string }>;
  /** Has what follows begin with a script. */
  begin(script: string): void;
  close(): Promise<void>;
}

/** Runs commands in bash, each in one of its own. Every `curl` also prints its status to stderr. */
async function openShell(): Promise<Shell> {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const kept = `${folder}/variables`;
  await Deno.writeTextFile(`${folder}/.curlrc`, 'noproxy = "*"\nwrite-out = "%{stderr}%{http_code}\\n"\n');
  await Deno.writeTextFile(kept, "");
  let before = `set -a; . ${kept}; trap 'export -p > ${kept}.$$ && mv ${kept}.$$ ${kept}' EXIT`;
  return {
    begin: (script) => void (before += `\n${script}`),
    async run(command) {
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-c", `${before}\n${command}`],
        env: { CURL_HOME: folder },
        stdin: "null",
      }).output();
      const complaints = new TextDecoder().decode(stderr);
      assert.equal(code, 0, complaints);
      return {
        status: Number(complaints.trim().split("\n").at(-1)),
        body: new TextDecoder().decode(stdout),
      };
    },
    close: () => Deno.remove(folder, { recursive: true }),
  };
}

function assertContains(actual: Json, shown: Json, path = "the answer"): void {
  if (shown === null || typeof shown !== "object") return assert.deepEqual(actual, shown, path);
  assert.ok(actual !== null && typeof actual === "object", `${path} is ${JSON.stringify(actual)}`);
  if (Array.isArray(shown)) assert.equal(actual.length, shown.length, `${path}: ${JSON.stringify(actual)}`);
  for (const name of Object.keys(shown)) assertContains(actual[name], shown[name], `${path}.${name}`);
}
