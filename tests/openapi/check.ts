import assert from "node:assert/strict";
import { openApi } from "../../routes/openapi/document.ts";
import { startService } from "../support/service.ts";
import { type Exchange, startRecorder, type Violation } from "./recorder.ts";

/*
 * The document under the tools that people use, in the versions below, from npm: linters, generators of clients whose
 * output a program is compiled with and run, and Prism between the contract suite and a service. It takes minutes, and
 * is run when the document changes; what of it takes seconds is tested always (lint.test.ts, clients.test.ts).
 */

const TOOLS = {
  "@redocly/cli": "2.77.0",
  "@stoplight/spectral-cli": "6.16.3",
  "@stoplight/prism-cli": "5.14.2",
  "openapi-typescript": "7.13.0",
  "openapi-fetch": "0.17.0",
  "@hey-api/openapi-ts": "0.95.0",
  "orval": "7.13.2",
  "typescript": "5.9.3",
  "esbuild": "0.25.12",
};

const PROGRAMS = new URL("programs/", import.meta.url);
const folder = await Deno.makeTempDir({ prefix: "convene-openapi-" });

async function run(command: string, ...args: string[]): Promise<void> {
  console.log(`\n$ ${command} ${args.join(" ")}`);
  const { success } = await new Deno.Command(command, { args, cwd: folder, stdin: "null" }).output().then(
    shown,
  );
  assert.ok(success, `${command} ${args[0]} failed`);
}

function shown(output: Deno.CommandOutput): Deno.CommandOutput {
  for (const bytes of [output.stdout, output.stderr]) Deno.stderr.writeSync(bytes);
  return output;
}

const tool = (name: string, ...args: string[]) => run("npx", "--no-install", name, ...args);
const write = (name: string, content: unknown) =>
  Deno.writeTextFile(`${folder}/${name}`, JSON.stringify(content));

async function lint(): Promise<void> {
  await write(".spectral.json", { extends: ["spectral:oas"] });
  await tool("redocly", "lint", "--extends", "recommended-strict", "openapi.json");
  await tool("spectral", "lint", "--ruleset", ".spectral.json", "--fail-severity", "warn", "openapi.json");
}

/** Makes the clients, compiles the programs with them, and runs these against a service. */
async function clients(): Promise<void> {
  const service = await startService();
  try {
    const orval = {
      client: "fetch",
      mode: "single",
      baseUrl: service.url,
      target: "programs/generated/orval.ts",
    };
    await write("orval.config.json", { convene: { input: "./openapi.json", output: orval } });
    await Deno.writeTextFile(
      `${folder}/orval.config.cjs`,
      'module.exports = require("./orval.config.json");',
    );
    await write("tsconfig.json", {
      compilerOptions: {
        ...{ strict: true, target: "es2022", module: "esnext", moduleResolution: "bundler", noEmit: true },
        ...{ lib: ["es2022", "dom", "dom.iterable", "dom.asynciterable"], types: [], skipLibCheck: true },
        allowImportingTsExtensions: true,
      },
      include: ["programs/*.ts"],
    });
    await Deno.mkdir(`${folder}/programs/generated`, { recursive: true });
    for await (const { name } of Deno.readDir(PROGRAMS)) {
      await Deno.copyFile(new URL(name, PROGRAMS), `${folder}/programs/${name}`);
    }
    await tool("openapi-typescript", "openapi.json", "-o", "programs/generated/openapi.d.ts");
    await tool("openapi-ts", "-i", "openapi.json", "-o", "programs/generated/hey-api");
    await tool("orval", "--config", "orval.config.cjs");
    await tool("tsc", "-p", "tsconfig.json");
    for (const name of ["openapi_fetch", "hey_api", "orval"]) {
      const bundle = `${folder}/${name}.mjs`;
      await tool("esbuild", `programs/${name}.ts`, "--bundle", "--format=esm", `--outfile=${bundle}`);
      const { makeEachCall } = await import(`file://${bundle}`);
      let calls = 0;
      const seen = (operation: string, answer: { status?: number; response?: Response }) => {
        const status = answer.response?.status ?? answer.status ?? 200;
        assert.ok(status < 300, `${name}, ${operation}: ${status}`);
        calls++;
      };
      await (name === "orval" ? makeEachCall(seen) : makeEachCall(service.url, seen));
      console.log(`${name}: ${calls} calls`);
    }
  } finally {
    await service.stop();
  }
}

/** Runs the contract suite through Prism. What its tests say counts elsewhere; here it is what Prism says. */
async function proxy(): Promise<void> {
  const service = await startService();
  const recorder = await startRecorder({ service: service.url, folder });
  try {
    await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--quiet", "tests/contract/"],
      cwd: new URL("../../", import.meta.url),
      env: { CONTRACT_URL: recorder.url, NO_COLOR: "1" },
    }).output();
  } finally {
    await recorder.stop();
    await service.stop();
  }
  const { exchanges } = recorder;
  const findings = exchanges.flatMap(findingsIn);
  console.log(
    `\nPrism saw ${exchanges.length} exchanges of the contract suite and found ${findings.length}:`,
  );
  for (const finding of new Set(findings)) console.log(finding);
  assert.ok(exchanges.length > 1_000, "The suite did not come through Prism.");
  assert.equal(findings.length, 0, "Prism finds that the document and the service differ.");
}

/** An answer that the document does not know, or a request that it forbids and that was done all the same. */
function findingsIn({ method, path, status, violations }: Exchange): string[] {
  if (status === 400 && violations.some(isOfRuntime)) return [];
  return violations
    .filter(({ location: [part] }) => part === "response" || status < 300)
    .filter((violation) => !isLenient(violation, path))
    .map(({ location, message }) => `${method} ${path} ${status}: ${location.join(".")} ${message}`);
}

/** Deno answers a head that is no HTTP by itself, without a body; Prism passes on what `fetch` would not send. */
function isOfRuntime({ message }: Violation): boolean {
  return message.includes('received media type ""');
}

/** What the service takes although the document names the plain way alone, all of it by the contract. */
function isLenient({ location: [, place, name = ""], message }: Violation, path: string): boolean {
  // An Authorization of another scheme is a proxy's; where a body has no members, `{}` is none.
  if (/Invalid security scheme|non-empty body/.test(message)) return place === undefined;
  if (place !== "query") return false;
  const isFlag = ["all", "unclaimed", "resolve"].includes(name); // another text than `true` is `false`
  const isTime = message.includes("date-time"); // whatever `Date` reads
  const isRepeated = path.split(`${name}=`).length > 2; // the same again
  return isFlag || isTime || isRepeated;
}

try {
  await write("openapi.json", openApi("https://convene.example"));
  await write("package.json", { private: true, dependencies: TOOLS });
  await run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error");
  const steps = { lint, clients, proxy };
  for (const step of Deno.args.length > 0 ? Deno.args : Object.keys(steps)) await steps[step as "lint"]();
} finally {
  await Deno.remove(folder, { recursive: true });
}
