import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { stableHash } from './stable-hash.ts'

/** A name for this process among all that share a store, now and in future. */
export function newWorkerId(): string {
  return `${machine() ?? 'somewhere'}.${process.pid}.${randomUUID()}`
}

/**
 * Whether the process that had this name is known to have ended: only if it ran on this very machine. So a
 * restart after a crash need not wait for its own old leases.
 */
export function isGone(workerId: string): boolean {
  const [where, pid] = workerId.split('.')
  if (where === undefined || where !== machine() || Number(pid) === process.pid) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

let known: string | null | undefined

/** This boot of this kernel, and the process ids that are seen here; null where that cannot be told. */
function machine(): string | null {
  if (known !== undefined) return known
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    known = stableHash(`${boot} ${readlinkSync('/proc/self/ns/pid')}`).toString(36)
  } catch {
    known = null
  }
  return known
}
