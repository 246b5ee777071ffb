/** The project's folder. */
export const ROOT = new URL("../../", import.meta.url);

/** Folders of what is served and sent, as opposed to tests and benchmarks. */
export const PRODUCT = ["cel", "cli", "client", "db", "errors", "routes", "views"];

/** The sources in a folder and those below it, as paths from the project's folder. */
export function sourcesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(`${folder}/`, ROOT))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? sourcesIn(path) : /\.tsx?$/.test(name) ? [path] : [];
  });
}

export function readSource(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
