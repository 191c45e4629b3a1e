import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** `acked`: ids that one append stored. `refused`: why the last append was not. `done` comes last. */
export type Report = { opened: string } | { acked: string[] } | { refused: string } | { done: true }

/** The stream that all these processes append to. */
export const sharedStream = 'ids-user'

const script = fileURLToPath(new URL('append-process.ts', import.meta.url))

/** Starts `append-process.ts` on the log in `file`; no file it writes may grow over `maxFileKiB`. */
export function startAppending(file: string, manner: 'a hundred' | 'until refused', maxFileKiB?: number) {
  const node = [process.execPath, '--import', 'tsx', script, file, manner]
  // A shell's file sizes are in blocks of 512 bytes.
  const limit = maxFileKiB === undefined ? '' : `ulimit -f ${maxFileKiB * 2} && `
  const child = spawn('sh', ['-c', `${limit}exec "$@"`, 'sh', ...node], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const reports: Report[] = []
  child.on('message', message => reports.push(message as Report))
  const exited = once(child, 'close')
  const find = <T>(pick: (report: Report) => T[]): T[] => reports.flatMap(pick)
  return {
    /** Ids of the events acknowledged so far, an array for each append. */
    acked: () => find(report => ('acked' in report ? [report.acked] : [])),
    logId: () => find(report => ('opened' in report ? [report.opened] : []))[0],
    refused: () => find(report => ('refused' in report ? [report.refused] : []))[0],
    isDone: () => reports.some(report => 'done' in report),
    exited,
    /** As `kill -9`. */
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
