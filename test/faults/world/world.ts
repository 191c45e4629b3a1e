import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { roster } from '../../support/run-roster.ts'
import type { TcpProxy } from '../../support/tcp-proxy.ts'
import { createCaller } from '../load/caller.ts'
import { createLedger, type Ledger } from '../load/ledger.ts'
import { type Load, type LoadOptions, startLoad } from '../load/load.ts'
import type { Doing } from '../load/members.ts'
import { openOutbox } from '../load/outbox.ts'
import { clockVariables, setClock } from './fake-clock.ts'
import { startServers } from './servers.ts'
import { type Layout, type Service, startService } from './service.ts'
import { mountTmpfs, type Tmpfs } from './tmpfs.ts'

export type Stores = 'embedded' | 'servers'

/** What a fault wants to have at hand. */
export type WorldNeeds = {
  variables?: Record<string, string>
  /** The data directory on a file system of its own, of so many mebibytes. */
  tmpfsMebibytes?: number
  /** Proxies on the way to the stores. */
  proxies?: true
  /** A clock that can be set. */
  clock?: true
}

/** Where the stores are for whoever looks at what they hold. */
export type Truth = {
  dataDir: string
  eventstoreUrl: string | null
  mongodbUrl: string | null
  streamPrefix: string
}

/** A Roster with its stores and users, apart from all others. */
export type World = {
  folder: string
  truth: Truth
  /** In words, for the report. */
  stores: string
  ledger: Ledger
  service: Service
  tmpfs: Tmpfs | null
  proxies: readonly TcpProxy[]
  /** Runs `roster user <args>` on the stores. */
  operate: Doing['operate']
  /** Runs `use` while people use Roster, and lets what they do come to its end. */
  underLoad(use: (load: Load) => Promise<void>, options?: LoadOptions): Promise<void>
  /** Stops everything; the data stays for those who look at it. Returns what went wrong. */
  stop(): Promise<string[]>
  /** Ends the servers and removes all data, unless it is to be looked at. */
  remove(keepData: boolean): Promise<void>
}

export async function openWorld(on: Stores, layout: Layout, needs: WorldNeeds = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'roster-faults-'))
  const dataDir = join(folder, 'data')
  await mkdir(dataDir)
  const tmpfs = needs.tmpfsMebibytes === undefined ? null : mountTmpfs(dataDir, needs.tmpfsMebibytes)
  if (needs.clock) await setClock(folder, 0)
  const servers = on === 'servers' ? await startServers() : null
  const proxied = needs.proxies ? await servers?.throughProxies() : undefined
  const { eventstoreUrl = null, mongodbUrl = null } = proxied ?? servers ?? {}
  const secret = randomBytes(32).toString('hex')
  const service = await startService({
    folder,
    layout,
    variables: {
      ...(eventstoreUrl === null ? {} : { EVENTSTORE_URL: eventstoreUrl }),
      ...(mongodbUrl === null ? {} : { MONGODB_URL: mongodbUrl }),
      ...(servers ? { JWT_SECRET: secret } : {}),
      ...(needs.clock ? clockVariables(folder) : {}),
      ...needs.variables,
    },
  })
  const ledger = createLedger()
  const outbox = openOutbox(join(dataDir, 'outbox'))
  const truth = {
    dataDir,
    eventstoreUrl: servers?.eventstoreUrl ?? null,
    mongodbUrl: servers?.mongodbUrl ?? null,
    streamPrefix: '',
  }
  const operate = operateOn(truth, secret)
  return {
    folder,
    truth,
    stores: servers ? `EventStoreDB, ${servers.mongodbUrl === null ? 'SQLite' : 'MongoDB'}` : 'embedded',
    ledger,
    service,
    tmpfs,
    proxies: proxied?.proxies ?? [],
    operate,

    async underLoad(use, options) {
      const caller = createCaller(service.url(), ledger)
      try {
        const load = startLoad({ caller, ledger, outbox, operate }, options)
        try {
          await use(load)
        } finally {
          await load.stop()
        }
      } finally {
        caller.close()
      }
    },

    stop: () => service.stop(),

    async remove(keepData) {
      await servers?.stop()
      if (keepData) return
      tmpfs?.unmount()
      await rm(folder, { recursive: true })
    },
  }
}

function operateOn({ dataDir, eventstoreUrl, mongodbUrl }: Truth, secret: string): Doing['operate'] {
  const environment = {
    DATA_DIR: dataDir,
    ...(eventstoreUrl === null ? {} : { EVENTSTORE_URL: eventstoreUrl, JWT_SECRET: secret }),
    ...(mongodbUrl === null ? {} : { MONGODB_URL: mongodbUrl }),
  }
  return args => roster(environment, ['user', ...args])
}
