import { type LibsqlServer, startLibsqlServer } from "./libsql_server.ts";
import { type Service, startService } from "./service.ts";

export interface Cluster {
  server: LibsqlServer;
  services: Service[];
  stop(): Promise<void>;
}

/** Instances of the service that share nothing but a libSQL server. */
export async function startCluster(count = 2, env: Record<string, string> = {}): Promise<Cluster> {
  const server = await startLibsqlServer();
  const services: Service[] = [];
  async function stop() {
    try {
      await Promise.all(services.map((service) => service.stop()));
    } finally {
      await server.stop();
    }
  }
  try {
    // All at once, as a release starts them: they meet when they set up the database.
    const starts = Array.from({ length: count }, () => startService({ database: server.url, env }));
    const settled = await Promise.allSettled(starts);
    for (const start of settled) if (start.status === "fulfilled") services.push(start.value);
    for (const start of settled) if (start.status === "rejected") throw start.reason;
  } catch (error) {
    await stop();
    throw error;
  }
  return { server, services, stop };
}
