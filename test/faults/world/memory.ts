import { readdir } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { RosterProcess } from './roster-process.ts'

/** What processes hold after garbage was collected: heap and buffers in bytes, and open file handles. */
export type Held = { bytes: number; handles: number }

const collections = 2
const settleMs = 150

/** Of all of them together, which serve `/metrics`. */
export async function held(processes: readonly RosterProcess[]): Promise<Held> {
  // What the first collection finalises is freed by the second.
  for (let n = 0; n < collections; n++) {
    for (const process of processes) process.signal('SIGUSR2')
    await pause(settleMs)
  }
  const each = await Promise.all(processes.map(heldBy))
  return {
    bytes: each.reduce((sum, { bytes }) => sum + bytes, 0),
    handles: each.reduce((sum, { handles }) => sum + handles, 0),
  }
}

async function heldBy({ pid, opsUrl }: RosterProcess): Promise<Held> {
  const page = await (await fetch(`${opsUrl}/metrics`)).text()
  const handles = (await readdir(`/proc/${pid}/fd`)).length
  const bytes = value(page, 'nodejs_heap_size_used_bytes') + value(page, 'nodejs_external_memory_bytes')
  return { bytes, handles }
}

function value(page: string, name: string): number {
  const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1]
  if (found === undefined) throw new Error(`expected ${name} in /metrics, found none`)
  return Number(found)
}

export const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`
