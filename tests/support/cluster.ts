import { DATABASES } from "./databases.ts";
import { type Service, startService } from "./service.ts";

export interface Cluster {
  /** The address of the server. */
  database: string;
  services: Service[];
  stop(): Promise<void>;
}

/** Instances of the service that share nothing but a libSQL server, which has its tables. */
export async function startCluster(count = 2, env: Record<string, string> = {}): Promise<Cluster> {
  const server = await DATABASES.libsql!();
  const services: Service[] = [];
  async function stop() {
    try {
      await Promise.all(services.map((service) => service.stop()));
    } finally {
      await server.stop();
    }
  }
  try {
    // All at once, as a release starts them.
    const starts = Array.from({ length: count }, () => startService({ database: server.url, env }));
    const settled = await Promise.allSettled(starts);
    for (const start of settled) if (start.status === "fulfilled") services.push(start.value);
    for (const start of settled) if (start.status === "rejected") throw start.reason;
  } catch (error) {
    await stop();
    throw error;
  }
  return { database: server.url, services, stop };
}
