import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { type Held, held, megabytes } from '../world/memory.ts'

const samples = 20
const clients = 6
const pauseMs = 200
/** Of all processes together, between the middle and the end. */
const flatBytes = 16 * 1024 * 1024
const flatHandles = 20

/** Nothing goes wrong for minutes: what is held after that is what was held halfway. */
export const soak: Fault['commit'] = async ({ service, underLoad, ledger }, { soakMinutes }) => {
  const found: Held[] = []
  await underLoad(
    async () => {
      for (let n = 0; n < samples; n++) {
        await pause((soakMinutes * 60_000) / samples)
        found.push(await held(service.processes()))
      }
    },
    { clients, pauseMs },
  )
  const middle = typical(found.slice(samples / 2, samples / 2 + 5))
  const end = typical(found.slice(-5))
  const told = `${megabytes(middle.bytes)} and ${middle.handles} handles in the middle, ${megabytes(end.bytes)} and ${end.handles} at the end`
  if (end.bytes - middle.bytes > flatBytes || end.handles - middle.handles > flatHandles)
    ledger.violations.push(
      `a soak of ${soakMinutes} minutes: expected flat memory and handles, found ${told}`,
    )
  return `${soakMinutes} minutes: ${told}`
}

/** The median of each. */
function typical(found: readonly Held[]): Held {
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  return {
    bytes: median(found.map(({ bytes }) => bytes)),
    handles: median(found.map(({ handles }) => handles)),
  }
}
