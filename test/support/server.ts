import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { readConfig } from '../../src/config.ts'
import type { EventStore, JsonObject, RecordedEvent } from '../../src/event-store/event-store.ts'
import { openEventStore, withStore } from '../../src/open-stores.ts'
import { startRoster } from '../../src/roster.ts'
import type { StartServer, TestServer } from '../http/suite/test-server.ts'
import { createHttpClient } from './http-client.ts'

const jwtSecret = 'a secret for tests, of more than 32 bytes'

/** What keeps tests fast and apart from each other: cheap hashes, free ports, no limits; and patience on a busy machine. */
const forTests = {
  PORT: '0',
  OPS_PORT: '0',
  JWT_SECRET: jwtSecret,
  ARGON2_MEMORY_KIB: '64',
  ARGON2_TIME_COST: '1',
  HASH_QUEUE_LIMIT: '1000',
  RATE_LIMITS: 'off',
  COMMAND_TIMEOUT_MS: '20000',
  READ_YOUR_WRITES_TIMEOUT_MS: '10000',
}

/** Starts a whole Roster in this process, with its data in a folder of its own. */
export const startServer: StartServer = async (environment = {}) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'roster-test-'))
  const lines: string[] = []
  const log = pino({ base: null }, { write: line => void lines.push(line) })
  const config = readConfig({ ...forTests, DATA_DIR: dataDir, ...environment })
  let passed = 0
  const roster = await startRoster(config, log, () => Date.now() + passed)
  const urlOf = (listener: string) => {
    const url = roster.listening.find(({ name }) => name === listener)?.url
    if (url === undefined) throw new Error(`expected the ${listener} to listen, it does not`)
    return url
  }
  const url = urlOf('api')
  const client = createHttpClient(url)
  return {
    client,
    url,
    opsUrl: urlOf('ops'),
    port: Number(new URL(url).port),
    dataDir,
    jwtSecret,
    resetTokens: async email => (await mailsTo(join(config.dataDir, 'outbox'), email)).flatMap(tokensIn),
    mails: email => mailsTo(join(config.dataDir, 'outbox'), email),
    eventsOf: requestId => withStore(openEventStore(config), store => eventsOf(store, requestId)),
    record: (userId, event) => withStore(openEventStore(config), store => record(store, userId, event)),
    passTime(seconds) {
      passed += seconds * 1000
    },
    logged: async () => lines.map(parseLine),
    async stop() {
      client.close()
      await roster.stop(1000)
      await rm(dataDir, { recursive: true, force: true })
    },
  } satisfies TestServer
}

async function record(
  store: EventStore,
  userId: number,
  { type, data }: { type: string; data: JsonObject },
): Promise<void> {
  const stream = `user-${userId}`
  const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 })
  if (!last) throw new Error(`expected events in ${stream}, found none`)
  const metadata = { ...last.metadata, actor: 'operator' as const }
  await store.append(stream, [{ id: randomUUID(), type, data, metadata }], last.revision)
}

async function eventsOf(store: EventStore, requestId: string): Promise<string[]> {
  const types: string[] = []
  for await (const { events } of store.readAll()) {
    types.push(...events.filter(isOf(requestId)).map(({ type }) => type))
  }
  return types
}

const isOf =
  (requestId: string) =>
  ({ metadata }: RecordedEvent) =>
    metadata.$correlationId === requestId

function parseLine(line: string): Record<string, unknown> {
  return JSON.parse(line)
}

/** The mails of an outbox to an address, by the order of their dates. */
async function mailsTo(outbox: string, email: string): Promise<string[]> {
  const files = await readdir(outbox).catch(() => [])
  const mails = await Promise.all(files.filter(isMail).map(file => readFile(join(outbox, file), 'utf8')))
  return mails
    .filter(mail => headerOf(mail, 'To') === email)
    .toSorted((a, b) => Date.parse(headerOf(a, 'Date')) - Date.parse(headerOf(b, 'Date')))
}

const isMail = (file: string) => file.endsWith('.eml')

function headerOf(mail: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(mail)?.[1] ?? ''
}

/** A token stands on a line of its own; mails that tell something have none. */
function tokensIn(mail: string): string[] {
  return /^\d+\.[\w-]+\.[\w-]+$/m.exec(mail) ?? []
}
