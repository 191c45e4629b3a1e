import type { Command } from 'commander'
import { isRegistered } from '../account/account.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { openExistingEventStore, withStore } from '../open-stores.ts'
import { type AccountAt, accountAt, type Moment } from './account-at.ts'
import { findUser } from './find-user.ts'
import { answer, describeTool, exitCodes, type Shell, ToolFailure } from './shell.ts'

type Options = { at?: string; diff?: string; json?: true }
type Shown = Record<string, string | number | boolean>

const example = `$ npx roster show egekaya
$ npx roster show 42 --at 2026-01-31T12:00:00Z
$ npx roster show egekaya --at 7                               as of revision 7
$ npx roster show egekaya --diff 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z`

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
        const shown = shownOf(await accountAt(store, stream, wanted), nameOrId)
        if (from) await showDifference(shell, options, await accountOrNothing(store, stream, from), shown)
        else await answer(shell, options.json, shown, inWords(shown))
      })
    })
}

async function accountOrNothing(store: EventStore, stream: string, at: Moment): Promise<Shown> {
  const found = await accountAt(store, stream, at)
  return isRegistered(found.account) ? shownOf(found, stream) : {}
}

async function showDifference(shell: Shell, options: Options, from: Shown, to: Shown): Promise<void> {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  const changes = names
    .filter(name => name !== 'revision' && name !== 'time' && from[name] !== to[name])
    .map(name => ({ field: name, from: from[name] ?? null, to: to[name] ?? null }))
  const lines = changes.map(
    ({ field, from: was, to: is }) => `${field}: ${JSON.stringify(was)} → ${JSON.stringify(is)}`,
  )
  await answer(shell, options.json, changes, lines.join('\n') || 'nothing is different')
}

/** Now, if nothing is said. Throws ToolFailure. */
function moment(text: string | undefined): Moment {
  if (text === undefined) return { revision: Number.POSITIVE_INFINITY }
  if (/^\d{1,15}$/.test(text)) return { revision: Number(text) }
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return { time: text }
  throw new ToolFailure(exitCodes.wrongUse, `expected a time in ISO 8601 or a revision, found ${text}`)
}

/** In the names of the API. The password's hash is nobody's business. */
function shownOf({ account, revision, time, registeredAt, passwordSetAt }: AccountAt, who: string): Shown {
  if (!isRegistered(account)) {
    const found = account.status === 'erased' ? `it was erased at ${time}` : 'no such account'
    throw new ToolFailure(exitCodes.difference, `expected ${who} to be registered then, found ${found}`)
  }
  const { userId, username, email, profile } = account
  return {
    id: userId,
    username,
    email,
    first_name: profile.firstName,
    last_name: profile.lastName,
    bio: profile.bio,
    fav_sport_1: profile.favSport1,
    fav_sport_2: profile.favSport2,
    fav_sport_3: profile.favSport3,
    location: profile.location,
    avatar: profile.avatar,
    privacy: profile.privacy,
    disabled: account.status === 'disabled',
    registered: registeredAt,
    password_set: passwordSetAt,
    revision,
    time,
  }
}

function inWords(shown: Shown): string {
  const names = Object.keys(shown)
  const width = Math.max(...names.map(name => name.length))
  return names.map(name => `${name.padEnd(width)}  ${shown[name]}`).join('\n')
}
