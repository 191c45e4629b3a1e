import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

const readOnlyMs = 2000

/** The data directory cannot be written to, first under those who have its files open, then for those who start. */
export const makeDataReadOnly: Fault['commit'] = async ({ service, underLoad, tmpfs, ledger }) => {
  if (!tmpfs) throw new Error('expected a file system of its own for the data, found none')
  let makeWritable = () => {}
  await underLoad(async load => {
    await pause(500)
    makeWritable = tmpfs.makeReadOnly()
    await pause(readOnlyMs)
    load.surge()
    await service.kill(service.names)
  })
  const told = await service.revive(0).then(
    () => 'it started',
    (error: unknown) => String(error),
  )
  if (!/^roster: .*(?:readonly|read-only|EROFS)/m.test(told))
    ledger.violations.push(
      `a start on a directory that is read-only: expected a clear refusal, found ${told}`,
    )
  await service.kill(service.names)
  makeWritable()
  return `read-only for ${readOnlyMs / 1000} s, kill -9 of all, and a refused start there`
}
