import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { RosterProcess } from './roster-process.ts'

/**
 * What a process holds: heap and buffers in bytes, after garbage was collected; what of its memory is resident, which the
 * allocators give back late or never; and open file handles. Null where the system does not tell.
 */
export type Held = { bytes: number; resident: number | null; handles: number | null }

const collections = 2
const settleMs = 150

/** Why not everything that processes hold is told here; null if it is. */
export function cannotTellHandles(): string | null {
  return existsSync('/proc/self/fd') ? null : 'open file handles are told by /proc, which is not here'
}

/** Of each of them, which serve `/metrics`. */
export async function held(processes: readonly RosterProcess[]): Promise<Map<RosterProcess, Held>> {
  // What the first collection finalises is freed by the second.
  for (let n = 0; n < collections; n++) {
    for (const process of processes) process.signal('SIGUSR2')
    await pause(settleMs)
  }
  return new Map(await Promise.all(processes.map(async process => [process, await heldBy(process)] as const)))
}

/** Of all of them together; what one does not tell is not told of all. */
export function together(each: Iterable<Held>): Held {
  const all = [...each]
  return {
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    resident: sumOrNull(all.map(({ resident }) => resident)),
    handles: sumOrNull(all.map(({ handles }) => handles)),
  }
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}

async function heldBy({ opsUrl }: RosterProcess): Promise<Held> {
  const page = await (await fetch(`${opsUrl}/metrics`)).text()
  return {
    bytes: needed(page, 'nodejs_heap_size_used_bytes') + needed(page, 'nodejs_external_memory_bytes'),
    resident: value(page, 'process_resident_memory_bytes'),
    handles: value(page, 'process_open_fds'),
  }
}

function needed(page: string, name: string): number {
  const found = value(page, name)
  if (found === null) throw new Error(`expected ${name} in /metrics, found none`)
  return found
}

/** Where it cannot be found out there is none, or a 0 that nobody has set. */
function value(page: string, name: string): number | null {
  const found = Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1])
  return found > 0 ? found : null
}

export const megabytes = (bytes: number | null): string =>
  bytes === null ? 'untold' : `${Math.round(bytes / 1024 / 1024)} MB`
