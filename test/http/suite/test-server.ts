import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../../src/event-store/event-store.ts'
import type { HttpClient } from '../../support/http-client.ts'

/** A whole Roster, listening on loopback, with stores of its own. */
export type TestServer = {
  client: HttpClient
  url: string
  /** Where `/readyz` and `/metrics` are. */
  opsUrl: string
  port: number
  /** Its own folder; gone after `stop`. */
  dataDir: string
  /** The secret that its tokens are signed with. */
  jwtSecret: string
  /** The tokens mailed to an address so far, oldest first. */
  resetTokens(email: string): Promise<string[]>
  /** The mails to an address so far, oldest first, as they went out. */
  mails(email: string): Promise<string[]>
  /** The types of the events that a request caused, in the order of the log. */
  eventsOf(requestId: string): Promise<string[]>
  /** Appends an event to a user's stream past all rules, as an import may. */
  record(userId: number, event: { type: string; data: JsonObject }): Promise<void>
  /** Moves the server's clock on. */
  passTime(seconds: number): void
  /** All that was logged so far, in the order of the lines. */
  logged(): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

/** Starts one; `environment` says what is to be otherwise than in most tests. */
export type StartServer = (environment?: Record<string, string>) => Promise<TestServer>

/** The server of a suite, once it was started. */
export type Running = () => TestServer

/** Begins a suite with a server of its own. */
export function withServer(start: StartServer, environment: Record<string, string> = {}): Running {
  let server: TestServer | null = null
  before(async () => {
    server = await start(environment)
  })
  after(async () => {
    await server?.stop()
  })
  return () => {
    if (!server) throw new Error('expected a running server, it was not started')
    return server
  }
}

/** Begins a suite with two servers on the same stores, as two processes of one Roster. */
export function withTwoServers(start: StartServer): { one: Running; two: Running } {
  const shared = { STREAM_PREFIX: `shared-${randomUUID()}-` }
  const servers: TestServer[] = []
  before(async () => {
    const first = await start(shared)
    servers.push(first, await start({ ...shared, DATA_DIR: first.dataDir }))
  })
  after(async () => {
    for (const server of servers.toReversed()) await server.stop()
  })
  const running = (index: number) => () => {
    const server = servers[index]
    if (!server) throw new Error(`expected a running server ${index}, it was not started`)
    return server
  }
  return { one: running(0), two: running(1) }
}
