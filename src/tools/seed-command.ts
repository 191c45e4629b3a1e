import type { Command } from 'commander'
import { createPasswordHasher } from '../account/password-hashing.ts'
import { openLog } from '../event-store/log-identity.ts'
import { openEventStore, withStore } from '../open-stores.ts'
import { withProgress } from './progress.ts'
import { seedUsers } from './seed.ts'
import { answer, describeTool, exitCodes, type Shell, Stopped, ToolFailure } from './shell.ts'

type Options = { users: string; crowd: string; startAt: string; password: string; json?: true }

const example = `$ npx roster seed --users 10000
$ npx roster seed --users 10000 --start-at 10000     ten thousand others`

/** `roster seed`: believable made-up users, for trying things at scale. */
export function addSeed(program: Command, shell: Shell): void {
  const command = program.command('seed')
  describeTool(command, 'Register made-up users straight into the log, while Roster runs or not.', example)
    .requiredOption('--users <number>', 'how many')
    .option('--crowd <number>', 'which people: another number has others', '1')
    .option('--start-at <index>', 'the first of the crowd to take', '0')
    .option('--password <password>', 'what all of them log in with', 'made-up password')
    .action(async (options: Options) => {
      const [users, seed, startAt] = [count(options.users), count(options.crowd), count(options.startAt)]
      const config = shell.config()
      const { signal } = shell
      await withStore(openEventStore(config), async store => {
        const { namesKey } = await openLog(store)
        const hasher = createPasswordHasher({ ...config.argon2, queueLimit: 1 })
        const passwordHash = await hasher.hash(options.password)
        const seeding = { users, seed, startAt, namesKey, passwordHash, signal }
        let done = 0
        const next = await withProgress(shell, 'seed', users, 'users', bar =>
          seedUsers(store, { ...seeding, onUser: () => bar.update(++done, done) }),
        )
        const goOn = `go on with --start-at ${next}`
        if (signal.aborted) throw new Stopped(`${done} users are registered; ${goOn}`)
        const words = `registered ${done} users who log in with "${options.password}"; ${goOn}`
        await answer(shell, options.json, { users: done, next, password: options.password }, words)
      })
    })
}

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new ToolFailure(exitCodes.wrongUse, `expected a whole number, found ${text}`)
}
