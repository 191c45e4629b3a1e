import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Tmpfs = {
  /** What is opened from now on can be read only. Taken back by the returned function. */
  makeReadOnly(): () => void
  unmount(): void
}

const mounted = new Set<string>()
process.on('exit', () => {
  // Perhaps it is mounted over itself.
  for (const folder of mounted) while (spawnSync('umount', ['--lazy', folder]).status === 0);
})

/** A file system of its own in memory, of so many mebibytes, on a folder. */
export function mountTmpfs(folder: string, mebibytes: number): Tmpfs {
  mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder)
  mounted.add(folder)
  return {
    makeReadOnly() {
      // Over itself: the file system below cannot be changed while files on it are open for writing. It is made
      // read-only elsewhere, where nobody opens one meanwhile.
      const aside = mkdtempSync(join(tmpdir(), 'roster-faults-mount-'))
      mount('--bind', folder, aside)
      mount('-o', 'remount,bind,ro', aside)
      mount('--bind', aside, folder)
      execFileSync('umount', [aside])
      rmdirSync(aside)
      return () => void execFileSync('umount', ['--lazy', folder])
    },
    unmount() {
      execFileSync('umount', ['--lazy', folder])
      mounted.delete(folder)
    },
  }
}

/** Why file systems cannot be mounted here; null if they can. */
export async function cannotMount(): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'roster-faults-mount-'))
  try {
    mountTmpfs(folder, 1).unmount()
    return null
  } catch (error) {
    return `mounting needs root: ${error instanceof Error ? error.message.trim().split('\n').at(-1) : error}`
  } finally {
    rmdirSync(folder)
  }
}

function mount(...given: string[]): void {
  execFileSync('mount', given, { stdio: ['ignore', 'ignore', 'pipe'] })
}
