import assert from "node:assert/strict";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { openApi } from "../../routes/openapi/document.ts";
import { withApp } from "../support/app.ts";
import { document } from "../support/documented.ts";
import { OPERATOR } from "../support/tokens.ts";

/** What the program has; its own types are there only once they are generated. */
interface Program {
  makeEachCall(
    address: string,
    seen: (operation: string, answer: { response: Response }) => void,
    fetch: (request: Request) => Promise<Response>,
    operator: string,
  ): Promise<void>;
}

const PROGRAM = new URL("programs/openapi_fetch.ts", import.meta.url);

Deno.test("a program compiles against the types of openapi-typescript, and each of its calls succeeds", () =>
  withApp(async ({ app }) => {
    const types = astToString(await openapiTS(openApi("https://convene.example") as unknown as OpenAPI3));
    await compile(types);
    const called = new Set<string>();
    const { makeEachCall } = await import(PROGRAM.href) as Program;
    await makeEachCall(
      "http://localhost",
      (operation, { response }) => {
        assert.ok(response.ok, `${operation}: ${response.status}`);
        called.add(operation);
      },
      (request) => Promise.resolve(app.request(request)),
      OPERATOR,
    );
    const operations = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId)
    );
    assert.deepEqual([...called].sort(), operations.sort());
  }, { operatorToken: OPERATOR }));

/** Checks the program in a folder of its own, beside the types that it imports. */
async function compile(types: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  try {
    const { imports } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
    const config = { imports: { "openapi-fetch": imports["openapi-fetch"] }, nodeModulesDir: "none" };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
    await Deno.mkdir(`${folder}/generated`);
    await Deno.writeTextFile(`${folder}/generated/openapi.d.ts`, types);
    await Deno.copyFile(PROGRAM, `${folder}/program.ts`);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--no-lock", "program.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
