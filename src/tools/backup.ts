import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { StoreUnavailable } from '../event-store/event-store.ts'
import { backUpSqlite } from '../event-store/sqlite-backup.ts'
import { eventsFile, readFile } from '../open-stores.ts'
import { secretFile } from '../secret.ts'
import { showProgress } from './progress.ts'
import { answer, describeTool, exitCodes, type Shell, Stopped, ToolFailure } from './shell.ts'

const example = `$ npx roster backup ./backup-monday
To restore it, stop Roster, put DATA_DIR aside, and start with a copy of the backup in its place:
$ mv data data.old; cp -a ./backup-monday ./data && npm start`

/** `roster backup`: the embedded stores and the secret as they are at one moment, while Roster runs. */
export function addBackup(program: Command, shell: Shell): void {
  const command = program.command('backup <dir>')
  describeTool(
    command,
    'Copy the embedded stores and the secret into a new folder, while Roster runs.',
    example,
  ).action(async (folder: string, options: { json?: true }) => {
    const config = shell.config()
    const files = await backUp(shell, config, folder)
    const words = `${files.join(', ')} are in ${folder}`
    await answer(shell, options.json, { folder, files }, words + keptElsewhere(config))
  })
}

/** What the tokens of a restored service need besides. */
function keptElsewhere({ jwtSecret, jwtKeys }: Config): string {
  const outside = [
    ...(jwtSecret === null ? [] : ['JWT_SECRET']),
    ...(jwtKeys === null ? [] : [`the keys in ${jwtKeys}`]),
  ]
  if (outside.length === 0) return ''
  return `; keep yourself what is not among them: ${outside.join(', ')}`
}

/** Resolves to the names of the files; the folder is there once all are in it. Throws ToolFailure and Stopped. */
async function backUp(shell: Shell, config: Config, folder: string): Promise<string[]> {
  if (config.eventstoreUrl !== null) {
    const message =
      'backup copies embedded stores; for EventStoreDB and MongoDB use their own, or export the log'
    throw new ToolFailure(exitCodes.wrongUse, message)
  }
  await requireFree(folder)
  const partial = `${folder}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true, mode: 0o700 })
  try {
    const files = await copyAll(shell, config, partial)
    await syncFolder(partial)
    await rename(partial, folder)
    return files
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}

async function copyAll(shell: Shell, config: Config, folder: string): Promise<string[]> {
  const { dataDir } = config
  const log = eventsFile(dataDir)
  // The read models first: they must not be ahead of the log.
  const stores = [...(config.mongodbUrl === null ? [readFile(dataDir)] : []), log]
  const files: string[] = []
  for (const file of stores) {
    if (!(await exists(file))) {
      if (file === log)
        throw new StoreUnavailable(`expected a log in ${file}, found none: is DATA_DIR right?`)
      continue
    }
    await copyStore(shell, file, join(folder, basename(file)))
    files.push(basename(file))
  }
  const secret = secretFile(dataDir)
  if (config.jwtSecret === null && (await exists(secret))) {
    const copy = join(folder, basename(secret))
    await copyFile(secret, copy, constants.COPYFILE_EXCL)
    await chmod(copy, 0o600)
    files.push(basename(secret))
  }
  return files
}

async function copyStore(shell: Shell, file: string, copy: string): Promise<void> {
  const handle = await open(copy, 'wx', 0o600)
  await handle.close()
  let bar: ReturnType<typeof showProgress> | undefined
  const onProgress = ({ pages, total }: { pages: number; total: number }) => {
    bar ??= showProgress(shell, `backup ${basename(file)}`, total, 'pages')
    bar.update(pages, pages)
  }
  try {
    const { signal } = shell
    if (await backUpSqlite(file, copy, { onProgress, signal })) return
  } finally {
    bar?.stop()
  }
  throw new Stopped('nothing is kept of the backup; the same command begins anew')
}

async function requireFree(folder: string): Promise<void> {
  const there = await readdir(folder).catch(() => [])
  if (there.length === 0) return
  throw new ToolFailure(
    exitCodes.wrongUse,
    `expected a new or empty folder, found ${there.length} files in ${folder}`,
  )
}

function exists(file: string): Promise<boolean> {
  return open(file, 'r').then(
    async handle => {
      await handle.close()
      return true
    },
    () => false,
  )
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
