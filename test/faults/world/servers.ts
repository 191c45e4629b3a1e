import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ownDatabase } from '../../support/mongodb-database.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

/** EventStoreDB's protocol in a process of its own, and MongoDB where MONGODB_URL says one is. */
export type Servers = {
  eventstoreUrl: string
  /** Null: the read models are in files. */
  mongodbUrl: string | null
  /** What Roster is told, where something that can go wrong is on the way. */
  throughProxies(): Promise<{ eventstoreUrl: string; mongodbUrl: string | null; proxies: TcpProxy[] }>
  stop(): Promise<void>
}

const program = join(import.meta.dirname, '../../support/eventstoredb/main.ts')

export async function startServers(): Promise<Servers> {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const [eventstoreUrl]: string[] = await once(createInterface(child.stdout), 'line')
  if (eventstoreUrl === undefined) throw new Error('expected the URL of the event store, found none')
  const { MONGODB_URL: given } = process.env
  const database = given === undefined ? null : ownDatabase(given)
  const proxies: TcpProxy[] = []

  async function through(url: string): Promise<string> {
    const { hostname, port } = new URL(url)
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
    proxies.push(proxy)
    return url.replace(`${hostname}:${port}`, `127.0.0.1:${proxy.port}`)
  }

  return {
    eventstoreUrl,
    mongodbUrl: database?.url ?? null,
    throughProxies: async () => ({
      eventstoreUrl: await through(eventstoreUrl),
      mongodbUrl: database && (await through(database.url)),
      proxies,
    }),
    async stop() {
      for (const proxy of proxies) await proxy.close()
      await database?.drop()
      process.removeListener('exit', endWithUs)
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
