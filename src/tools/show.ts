import type { Command } from 'commander'
import { type AccountAt, accountAt, type Moment } from '../history/account-at.ts'
import { changesBetween, type ShownAccount, shownAccount } from '../history/shown-account.ts'
import { openExistingEventStore, withStore } from '../open-stores.ts'
import { findUser } from './find-user.ts'
import { requiredTime } from './given-time.ts'
import { answer, describeTool, exitCodes, type Shell, ToolFailure } from './shell.ts'
import { printable, spelledOut } from './spelled-out.ts'

type Options = { at?: string; diff?: string; json?: true }

const example = `$ npx roster show egekaya
$ npx roster show 42 --at 0                     as of revision 0: as it was registered
$ npx roster show egekaya --at 2026-01-31T12:00:00Z
$ npx roster show egekaya --diff 2026-01-01 2026-02-01T12:00:00Z`

/** `roster show`: an account and its profile as of now or any moment before, folded from the log. */
export function addShow(program: Command, shell: Shell): void {
  const command = program.command('show <username|id> [to]')
  describeTool(command, 'Show an account and its profile as they were at a moment.', example)
    .option('--at <time|revision>', 'as of then: ISO 8601, or a revision of the account (default: now)')
    .option('--diff <from>', 'what is different between the moments <from> and [to] (default: now)')
    .action(async (nameOrId: string, to: string | undefined, options: Options) => {
      if (to !== undefined && options.diff === undefined) {
        throw new ToolFailure(exitCodes.wrongUse, `expected a second moment after --diff only, found ${to}`)
      }
      const wanted = moment(options.diff === undefined ? options.at : to)
      const from = options.diff === undefined ? undefined : moment(options.diff)
      await withStore(openExistingEventStore(shell.config()), async store => {
        const { stream } = await findUser(store, nameOrId)
        const at = await accountAt(store, stream, wanted)
        if (from) {
          requireKept(at, nameOrId)
          await showDifference(shell, options, await accountAt(store, stream, from), at)
          return
        }
        const shown = requireShown(at, nameOrId)
        await answer(shell, options.json, shown, inWords(shown))
      })
    })
}

async function showDifference(shell: Shell, options: Options, from: AccountAt, to: AccountAt): Promise<void> {
  const changes = changesBetween(from, to)
  const lines = changes.map(
    ({ field, from: was, to: is }) => `${field}: ${spelledOut(was)} → ${spelledOut(is)}`,
  )
  await answer(shell, options.json, changes, lines.join('\n') || 'nothing is different')
}

/** Now, if nothing is said. Throws ToolFailure. */
function moment(text: string | undefined): Moment {
  if (text === undefined) return { revision: Number.POSITIVE_INFINITY }
  if (/^\d{1,15}$/.test(text)) return { revision: Number(text) }
  return { time: requiredTime(text, ' or a revision') }
}

function requireShown(at: AccountAt, who: string): ShownAccount {
  requireKept(at, who)
  const shown = shownAccount(at)
  if (shown) return { ...shown, revision: at.revision, time: at.time }
  throw unregistered(who, 'no such account')
}

/** What somebody was who is erased is told no more, although the log may still hold it for a moment. */
function requireKept({ account, time }: AccountAt, who: string): void {
  if (account.status === 'erased') throw unregistered(who, `it was erased at ${time}`)
}

const unregistered = (who: string, found: string) =>
  new ToolFailure(exitCodes.difference, `expected ${who} to be registered then, found ${found}`)

function inWords(shown: ShownAccount): string {
  const names = Object.keys(shown)
  const width = Math.max(...names.map(name => name.length))
  return names.map(name => `${name.padEnd(width)}  ${printable(String(shown[name]))}`).join('\n')
}
