/** A V8 CPU profile, as `--cpu-prof` writes it. Times are in microseconds. */
export interface Profile {
  nodes: Array<{ id: number; callFrame: { functionName: string; url: string; lineNumber: number } }>;
  samples: number[];
  timeDeltas: number[];
  endTime: number;
}

/** The one profile that a process left in a folder. */
export async function readProfile(folder: string): Promise<Profile> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".cpuprofile")) return JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
  }
  throw new Error(`There is no profile in ${folder}.`);
}

export interface SelfTimes {
  /** Seconds by part of the program. */
  parts: Map<string, number>;
  /** Seconds by function. */
  functions: Map<string, number>;
}

/** How long each part and each function was at work itself in the last `seconds` of a profile. */
export function selfTimes(profile: Profile, seconds: number): SelfTimes {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  let left = seconds * 1e6;
  for (let n = profile.samples.length - 1; n >= 0 && left > 0; n--) {
    const { functionName, url, lineNumber } = frames.get(profile.samples[n]!)!;
    const spent = profile.timeDeltas[n]!;
    left -= spent;
    add(parts, partOf(functionName, url), spent / 1e6);
    const name = functionName || `(anonymous, line ${lineNumber + 1})`;
    add(functions, `${name}  ${positionOf(url)}`.trim(), spent / 1e6);
  }
  return { parts, functions };
}

function add(times: Map<string, number>, name: string, seconds: number) {
  times.set(name, (times.get(name) ?? 0) + seconds);
}

const ROOT = new URL("../../", import.meta.url).href;

function partOf(functionName: string, url: string): string {
  if (url.startsWith(ROOT)) return `${positionOf(url).split("/")[0]}/`;
  const [, name] = /\/(@[^/]+\/[^/]+|[^/@]+)\/\d[^/]*\//.exec(url) ?? [];
  if (name !== undefined) return /libsql/.test(name) ? "libSQL client" : name;
  if (/^(ext|node|deno):/.test(url)) return "Deno";
  return functionName.startsWith("(") ? functionName : "V8 built-ins";
}

function positionOf(url: string): string {
  if (url.startsWith(ROOT)) return url.slice(ROOT.length);
  return url.split("/").slice(-2).join("/");
}
