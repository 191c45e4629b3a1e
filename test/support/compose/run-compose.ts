import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { type EventStoreDB, startEventStoreDB } from '../eventstoredb/server.ts'
import { ownDatabase } from '../mongodb-database.ts'
import { startSmtpServer } from '../smtp-server.ts'
import { type ComposeService, readComposeFile } from './compose-file.ts'
import { type Image, readDockerfile } from './dockerfile.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const healthyWithinMs = 120_000

export type Composition = {
  /** Where each replica of a service is reached from outside. */
  urls(service: string): string[]
  processes(): { service: string; process: ChildProcess }[]
  eventstoredb: EventStoreDB
  /** The mails that came to Mailpit's place. */
  mails: readonly { to: string[]; content: string }[]
  stop(): Promise<void>
}

export type ComposeOptions = {
  /** What `.env` would have. */
  variables: Readonly<Record<string, string>>
  /** A MongoDB server, where a database of its own takes the place of the file's. */
  mongodbUrl: string
  /** Whether services are published on the ports of the file, or on any that are free. */
  onItsPorts: boolean
}

/**
 * `docker compose up --wait` without Docker: what docker-compose.yml builds runs here, with the environment that the
 * file and the Dockerfile give it and the Dockerfile's command, until the Dockerfile's health check is content. The
 * servers at hand stand in for the images of others. Only what Docker itself would provide is put in place: addresses
 * for the names of services, published ports, and a folder for each /data.
 */
export async function runCompose({
  variables,
  mongodbUrl,
  onItsPorts,
}: ComposeOptions): Promise<Composition> {
  const services = await readComposeFile(join(root, 'docker-compose.yml'), variables)
  const image = await readDockerfile(join(root, 'Dockerfile'))
  const folder = await mkdtemp(join(tmpdir(), 'roster-compose-'))
  const eventstoredb = await startEventStoreDB()
  const database = ownDatabase(mongodbUrl)
  const mailpit = await startSmtpServer()
  const standIns: Record<string, string> = {
    'esdb://eventstoredb:2113?tls=false': eventstoredb.url,
    'mongodb://mongodb:27017/roster': database.url,
    'smtp://mailpit:1025': mailpit.url,
  }
  const running: { service: string; process: ChildProcess }[] = []
  const urls = new Map<string, string[]>()

  async function start(service: ComposeService, replica: number): Promise<void> {
    const { name, environment } = service
    const given = Object.entries({ ...image.environment, ...environment }).map(([variable, value]) => {
      const place = standIns[value]
      if (place === undefined && services.some(other => value.includes(`//${other.name}:`)))
        throw new Error(`expected ${variable} to name one of the servers at hand, found ${value}`)
      return [variable, place ?? value]
    })
    const variables = { ...Object.fromEntries(given), ...(await placeOf(service, replica)) }
    const [command = '', ...rest] = image.command
    const child = spawn(command, rest, {
      cwd: root,
      env: { PATH: process.env.PATH, ...variables },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    running.push({ service: name, process: child })
    if (service.published.length > 0) {
      urls.set(name, [...(urls.get(name) ?? []), `http://${variables.HOST}:${variables.PORT}`])
    }
    await untilHealthy(name, child, image, variables)
  }

  /** In place of the network and the volumes that a container has. */
  async function placeOf(
    { name, published }: ComposeService,
    replica: number,
  ): Promise<Record<string, string>> {
    const [door] = published
    const port = onItsPorts ? door?.ports[replica] : undefined
    return {
      HOST: door?.address ?? '127.0.0.1',
      PORT: String(port ?? (await freePort())),
      OPS_HOST: '127.0.0.1',
      OPS_PORT: String(await freePort()),
      DATA_DIR: join(folder, `${name}-${replica + 1}`),
    }
  }

  async function stop(): Promise<void> {
    for (const { process: child } of running) child.kill('SIGTERM')
    await Promise.all(running.map(({ process: child }) => ended(child)))
    await Promise.all([eventstoredb.stop(), database.drop(), mailpit.stop()])
    await rm(folder, { recursive: true, force: true })
  }

  try {
    for (const { name, dependsOn } of services) {
      const missing = dependsOn.find(other => !services.some(service => service.name === other))
      if (missing !== undefined) throw new Error(`expected a service ${missing}, on which ${name} depends`)
    }
    const built = services.filter(({ isBuilt }) => isBuilt)
    const replicas = built.flatMap(service =>
      Array.from({ length: service.replicas }, (_, replica) => start(service, replica)),
    )
    await Promise.all(replicas)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    urls: service => urls.get(service) ?? [],
    processes: () => running,
    eventstoredb,
    mails: mailpit.received,
    stop,
  }
}

/** What a `.env` says. */
export function variablesIn(text: string): Record<string, string> {
  return Object.fromEntries(Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? '']))
}

async function untilHealthy(
  service: string,
  child: ChildProcess,
  { healthCheck: [command = '', ...rest] }: Image,
  variables: Record<string, string>,
): Promise<void> {
  const deadline = performance.now() + healthyWithinMs
  for (;;) {
    const check = spawn(command, rest, { env: { PATH: process.env.PATH, ...variables }, stdio: 'ignore' })
    await once(check, 'close')
    if (check.exitCode === 0) return
    if (child.exitCode !== null)
      throw new Error(`expected ${service} to run on, it ended with ${child.exitCode}`)
    if (performance.now() > deadline)
      throw new Error(`expected ${service} to be healthy within ${healthyWithinMs} ms, it was not`)
    await pause(250)
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('expected a port, found none')
  return address.port
}
