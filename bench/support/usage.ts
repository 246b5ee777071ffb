/** Clock ticks a second in /proc/<pid>/stat; 100 on every Linux that Deno runs on. */
const TICKS = 100;

/** Seconds of processor time that a process has used so far. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name before ")" may hold spaces; the times are the 12th and 13th members after it.
  const members = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(members[11]) + Number(members[12])) / TICKS;
}

/** Resident memory of a process, in KiB. */
export async function residentKiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]);
}

/** The most resident memory that a process has had so far, in KiB. */
export async function peakKiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]);
}
