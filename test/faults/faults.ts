import type { Fault } from './fault.ts'
import { breakConnections } from './kinds/break-connections.ts'
import { damageWal, leaveRubbishInWal, loseLastCommit } from './kinds/damage-wal.ts'
import { floodLogins } from './kinds/flood-logins.ts'
import { fillDisk } from './kinds/full-disk.ts'
import { fuzz } from './kinds/fuzz.ts'
import { jumpClock } from './kinds/jump-clock.ts'
import { kill } from './kinds/kill.ts'
import { killTools } from './kinds/kill-tools.ts'
import { makeDataReadOnly } from './kinds/read-only-data.ts'
import { besiegeSlowly } from './kinds/slow-clients.ts'
import { soak } from './kinds/soak.ts'
import { stopPastDeadlines } from './kinds/stop-past-deadlines.ts'
import { cannotSetClock } from './world/fake-clock.ts'
import { cannotMount } from './world/tmpfs.ts'

const everywhere = ['embedded', 'servers'] as const
const embedded = ['embedded'] as const

/** Every fault of the laboratory; those that take longest come first. */
export const faults: readonly Fault[] = [
  {
    ...{ name: 'soak', on: embedded, layout: 'apart' },
    rounds: { quick: 0, whole: 1 },
    commit: soak,
  },
  {
    ...{ name: 'kill -9 of all, together', on: everywhere, layout: 'together' },
    quickOn: 'embedded',
    rounds: { quick: 1, whole: 8 },
    commit: kill({ victims: ['all'] }),
  },
  {
    ...{ name: 'kill -9 of all, apart', on: everywhere, layout: 'apart' },
    quickOn: 'servers',
    rounds: { quick: 1, whole: 4 },
    commit: kill({ victims: ['api', 'projector', 'mailer'] }),
  },
  {
    ...{ name: 'kill -9 of followers', on: everywhere, layout: 'apart' },
    rounds: { quick: 0, whole: 4 },
    commit: kill({ victims: ['projector', 'mailer'], loadGoesOn: true }),
  },
  {
    ...{ name: 'kill -9 of the API', on: everywhere, layout: 'apart' },
    rounds: { quick: 0, whole: 4 },
    commit: kill({ victims: ['api'] }),
  },
  {
    ...{ name: 'SIGSTOP', on: everywhere, layout: 'doubled' },
    quickOn: 'embedded',
    rounds: { quick: 1, whole: 3 },
    commit: stopPastDeadlines,
  },
  {
    ...{ name: 'broken connections', on: ['servers'], layout: 'apart', needs: { proxies: true } },
    rounds: { quick: 1, whole: 2 },
    commit: breakConnections,
  },
  {
    ...{ name: 'full disk', on: embedded, layout: 'together', needs: { tmpfsMebibytes: 64 } },
    rounds: { quick: 1, whole: 3 },
    cannot: cannotMount,
    commit: fillDisk,
  },
  {
    ...{ name: 'read-only data', on: embedded, layout: 'together', needs: { tmpfsMebibytes: 256 } },
    rounds: { quick: 1, whole: 3 },
    cannot: cannotMount,
    commit: makeDataReadOnly,
  },
  {
    ...{ name: 'clock jumps', on: embedded, layout: 'together', needs: { clock: true } },
    rounds: { quick: 1, whole: 3 },
    cannot: cannotSetClock,
    commit: jumpClock,
  },
  {
    ...{ name: 'rubbish in the WAL', on: embedded, layout: 'apart' },
    rounds: { quick: 1, whole: 10 },
    commit: leaveRubbishInWal,
  },
  {
    ...{ name: 'damage in the WAL', on: embedded, layout: 'together' },
    rounds: { quick: 1, whole: 10 },
    commit: damageWal,
  },
  {
    ...{ name: 'loss of the last commit', on: embedded, layout: 'together' },
    rounds: { quick: 1, whole: 3 },
    commit: loseLastCommit,
  },
  {
    ...{ name: 'slow clients', on: embedded, layout: 'together', alone: true },
    rounds: { quick: 1, whole: 1 },
    commit: besiegeSlowly,
  },
  {
    ...{ name: 'flood of logins', on: embedded, layout: 'together', alone: true },
    needs: { variables: { RATE_LIMITS: 'on', TRUST_PROXY: 'on' } },
    rounds: { quick: 1, whole: 1 },
    commit: floodLogins,
  },
  {
    ...{ name: 'kill -9 of tools', on: embedded, layout: 'together', alone: true },
    rounds: { quick: 0, whole: 1 },
    commit: killTools,
  },
  {
    ...{ name: 'fuzz', on: embedded, layout: 'together' },
    rounds: { quick: 1, whole: 1 },
    commit: fuzz,
  },
]
