import { existsSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const libraries = ['x86_64', 'aarch64'].map(
  machine => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`,
)
const library = libraries.find(file => existsSync(file))
const file = (folder: string) => join(folder, 'clock')

/** Why clocks cannot be set here; null if they can. */
export async function cannotSetClock(): Promise<string | null> {
  return library === undefined ? `libfaketime is not installed: looked for ${libraries.join(', ')}` : null
}

/** What makes a process take its time of day from a file in `folder`. Its monotonic clock goes on as it is. */
export function clockVariables(folder: string): Record<string, string> {
  return {
    LD_PRELOAD: library ?? '',
    FAKETIME_TIMESTAMP_FILE: file(folder),
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_NO_CACHE: '1',
  }
}

/** From now on the clock is so many hours off, in running processes too. */
export async function setClock(folder: string, hours: number): Promise<void> {
  // Whole at any moment: each look at the time reads it.
  await writeFile(`${file(folder)}.new`, `${hours < 0 ? '-' : '+'}${Math.abs(hours)}h\n`)
  await rename(`${file(folder)}.new`, file(folder))
}
