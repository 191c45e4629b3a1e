import { type Bench, type Case, fullScale, quickScale, type Scale } from '../bench.ts'
import { compareAppends } from '../services/append.ts'
import { project } from '../services/project.ts'
import { commands, memory, searches, viewProfiles } from '../services/requests.ts'
import type { Servers } from '../services/servers.ts'
import { openServicesWorld, type SeededLog, type ServicesWorld, seedLog } from '../services/world.ts'

/** How many users; servers that stand in for MongoDB take a thousand or so documents a second. */
const users = 24_000
/** The projector's start, a second or so, is not what is measured. */
const projectedUsers = 72_000
const fewUsers = 800

export const servicesScale: Scale = { ...fullScale, roundSeconds: 4 }

/**
 * What the embedded run measures, on EventStoreDB and MongoDB, and how the adapters do beside the bare client and
 * driver. The projector is measured before Roster is started.
 */
export function servicesSuite(
  servers: Servers,
  profileDir: string | null,
): { cases: readonly Case[]; close(): Promise<void> } {
  let seeded: Promise<SeededLog> | null = null
  let opened: Promise<ServicesWorld> | null = null

  const logOf = ({ scale }: Bench, count: number) => seedLog(servers, scale === quickScale ? fewUsers : count)

  function log(bench: Bench): Promise<SeededLog> {
    seeded ??= logOf(bench, users)
    return seeded
  }

  function world(bench: Bench): Promise<ServicesWorld> {
    opened ??= log(bench).then(found => openServicesWorld(found, { folder: bench.folder, profileDir }))
    return opened
  }

  return {
    cases: [
      { name: 'append', run: bench => compareAppends(bench, servers) },
      { name: 'projector', run: async bench => project(bench, servers, await logOf(bench, projectedUsers)) },
      { name: 'GET profile', run: async bench => viewProfiles(bench, servers, await world(bench)) },
      { name: 'commands', run: async bench => commands(bench, servers, await world(bench)) },
      { name: 'search', run: async bench => searches(bench, await world(bench)) },
      { name: 'memory', run: async bench => memory(bench, await world(bench)) },
    ],
    async close() {
      const open = await opened?.catch(() => null)
      await open?.roster.stop()
    },
  }
}
