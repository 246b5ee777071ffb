import assert from "node:assert/strict";
import { startService } from "../support/service.ts";

/*
 * The protocol's own suite of conformance, over every revision that it knows, against a service over loopback. What
 * it asks of a server's own tools, resources and prompts needs a server that is made for it.
 */

const SUITE = "npm:@modelcontextprotocol/conformance@0.2.0-alpha.12";
const LOCK = new URL("conformance/deno.lock", import.meta.url).pathname;
const DEADLINE_MS = 120_000;

const OF_TOOLS = "calls a tool that only the suite's own server has";
const OF_RESOURCES = "reads a resource that only the suite's own server has";
const NO_PROMPTS = "the service has no prompts";
const NO_COMPLETIONS = "the service completes no arguments";
const NO_LOGGING = "the service sends its clients no log";
const NO_RESUMING = "a call that broke off is made again, and its stream is not resumed";
const NO_SUBSCRIPTIONS = "the service tells of changes by waits, and takes no subscriptions to resources";

/** Scenarios, or single checks of one, that are left out, and why. One that passes nonetheless fails the test. */
const LEFT_OUT: Record<string, string> = {
  "tools-call-simple-text": OF_TOOLS,
  "tools-call-image": OF_TOOLS,
  "tools-call-audio": OF_TOOLS,
  "tools-call-embedded-resource": OF_TOOLS,
  "tools-call-mixed-content": OF_TOOLS,
  "tools-call-with-logging": OF_TOOLS,
  "tools-call-error": OF_TOOLS,
  "tools-call-with-progress": OF_TOOLS,
  "tools-call-sampling": OF_TOOLS,
  "tools-call-elicitation": OF_TOOLS,
  "elicitation-sep1034-defaults": OF_TOOLS,
  "elicitation-sep1330-enums": OF_TOOLS,
  "json-schema-2020-12": OF_TOOLS,
  "http-custom-header-server-validation": OF_TOOLS,
  "input-required-result-basic-elicitation": OF_TOOLS,
  "input-required-result-basic-sampling": OF_TOOLS,
  "input-required-result-basic-list-roots": OF_TOOLS,
  "input-required-result-request-state": OF_TOOLS,
  "input-required-result-multiple-input-requests": OF_TOOLS,
  "input-required-result-multi-round": OF_TOOLS,
  "input-required-result-result-type": OF_TOOLS,
  "input-required-result-tampered-state": OF_TOOLS,
  "input-required-result-capability-check": OF_TOOLS,
  "input-required-result-missing-input-response": OF_TOOLS,
  "input-required-result-ignore-extra-params": OF_TOOLS,
  "server-stateless:sep-2575-server-rejects-undeclared-capability": OF_TOOLS,
  "server-stateless:sep-2575-missing-capability-http-400": OF_TOOLS,
  "server-stateless:sep-2575-http-server-no-independent-requests-on-stream": OF_TOOLS,
  "server-stateless:sep-2575-server-no-log-without-loglevel": OF_TOOLS,
  "resources-read-text": OF_RESOURCES,
  "resources-read-binary": OF_RESOURCES,
  "resources-templates-read": OF_RESOURCES,
  "resources-subscribe": NO_SUBSCRIPTIONS,
  "resources-unsubscribe": NO_SUBSCRIPTIONS,
  "prompts-list": NO_PROMPTS,
  "prompts-get-simple": NO_PROMPTS,
  "prompts-get-with-args": NO_PROMPTS,
  "prompts-get-embedded-resource": NO_PROMPTS,
  "prompts-get-with-image": NO_PROMPTS,
  "input-required-result-non-tool-request": NO_PROMPTS,
  "caching:sep-2549-prompts-list-caching-hints": NO_PROMPTS,
  "completion-complete": NO_COMPLETIONS,
  "logging-set-level": NO_LOGGING,
  "server-sse-polling": NO_RESUMING,
};

/** What each revision asks that is not left out: a suite that runs none of it would find nothing. */
const HELD: Record<string, string[]> = {
  "2025-06-18": ["server-initialize", "server-session-lifecycle", "ping", "tools-list", "resources-list"],
  "2025-11-25": [
    ...["server-initialize", "server-session-lifecycle", "ping", "tools-list", "resources-list"],
    ...["server-sse-multiple-streams", "dns-rebinding-protection"],
  ],
  "2026-07-28": [
    ...["server-stateless", "tools-list", "resources-list", "sep-2164-resource-not-found", "caching"],
    ...["server-sse-multiple-streams", "dns-rebinding-protection", "http-header-validation"],
  ],
};

for (const [revision, held] of Object.entries(HELD)) {
  Deno.test(`MCP ${revision}: the protocol's suite of conformance passes`, async () => {
    const service = await startService();
    const folder = await Deno.makeTempDir({ prefix: "convene-" });
    try {
      const leftOut = `${folder}/left_out.yml`;
      const entries = Object.entries(LEFT_OUT).map(([name, why]) => `  - "${name}" # ${why}\n`);
      await Deno.writeTextFile(leftOut, `server:\n${entries.join("")}`);
      const { code, output } = await run(folder, [
        ...["server", "--url", `${service.url}/mcp`, "--suite", "all", "--spec-version", revision],
        ...["--expected-failures", leftOut],
      ]);
      assert.equal(code, 0, output);
      for (const scenario of held) assert.match(output, new RegExp(`^[✓~✗] ${scenario}: [1-9]`, "m"), output);
    } finally {
      await Deno.remove(folder, { recursive: true });
      await service.stop();
    }
  });
}

/** Runs the suite in a folder for its results. It may reach this machine alone. */
async function run(folder: string, args: string[]): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-config", `--lock=${LOCK}`, "--frozen"],
      ...[
        "--allow-net=127.0.0.1,localhost",
        "--allow-env",
        "--allow-sys",
        "--allow-read",
        `--allow-write=${folder}`,
      ],
      ...[SUITE, ...args],
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE_MS),
  }).output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout) + text.decode(stderr) };
}
