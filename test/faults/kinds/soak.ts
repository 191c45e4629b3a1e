import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { type Held, held, megabytes, together } from '../world/memory.ts'

const samples = 20
const clients = 6
const pauseMs = 200
/** Of all processes together, between the middle and the end. */
const flatBytes = 16 * 1024 * 1024
const flatHandles = 20
/**
 * Of a process, between the middle and the end: SQLite may keep 40 MB more of the files, which have grown meanwhile, and
 * V8 and the allocator keep for a while what they have freed. What leaks per request goes beyond that in minutes.
 */
const flatResidentBytes = 64 * 1024 * 1024

/** Nothing goes wrong for minutes: what is held after that is what was held halfway. */
export const soak: Fault['commit'] = async ({ service, underLoad, ledger }, { soakMinutes }) => {
  const found: Held[] = []
  await underLoad(
    async () => {
      for (let n = 0; n < samples; n++) {
        await pause((soakMinutes * 60_000) / samples)
        found.push(together((await held(service.processes())).values()))
      }
    },
    { clients, pauseMs },
  )
  const middle = typical(found.slice(samples / 2, samples / 2 + 5))
  const end = typical(found.slice(-5))
  const told = `${shown(middle)} in the middle, ${shown(end)} at the end`
  const grown = (of: keyof Held) => (end[of] ?? 0) - (middle[of] ?? 0)
  const resident = service.processes().length * flatResidentBytes
  if (grown('bytes') > flatBytes || grown('handles') > flatHandles || grown('resident') > resident)
    ledger.violations.push(
      `a soak of ${soakMinutes} minutes: expected flat memory and handles, found ${told}`,
    )
  if (end.resident === null) console.log('SKIPPED: resident memory of the soak: the system does not tell it')
  return `${soakMinutes} minutes: ${told}`
}

function shown({ bytes, resident, handles }: Held): string {
  return `${megabytes(bytes)}, ${megabytes(resident)} resident and ${handles ?? 'untold'} handles`
}

/** The median of each. */
function typical(found: readonly Held[]): Held {
  return {
    bytes: median(found.map(({ bytes }) => bytes)) ?? 0,
    resident: median(found.map(({ resident }) => resident)),
    handles: median(found.map(({ handles }) => handles)),
  }
}

/** Null if one of them is. */
function median(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null).toSorted((a, b) => a - b)
  return known.length < values.length ? null : (known[Math.floor(known.length / 2)] ?? null)
}
