import type { Command } from 'commander'
import { isValidEmail } from '../account/email-address.ts'
import { operate, sendReset, setEmail } from '../account/operate.ts'
import { type OperateOn, operateOnUser } from './operate-on-user.ts'
import { answer, describeTool, exitCodes, type Shell, ToolFailure } from './shell.ts'

type Options = { json?: true }

/** A tool that does one thing to a user: what it says where it was done, and where it was so already. */
type Tool = { name: string; summary: string; act: OperateOn; done: string; already: string }

const longestEmail = 254

const tools: readonly Tool[] = [
  {
    name: 'disable',
    summary: 'Let nobody log in to an account, and end its sessions. It keeps its names.',
    act: (side, userId, intent) => operate(side, userId, 'disable', intent),
    done: 'is disabled',
    already: 'was disabled already',
  },
  {
    name: 'enable',
    summary: 'Open an account that was disabled.',
    act: (side, userId, intent) => operate(side, userId, 'enable', intent),
    done: 'is enabled',
    already: 'was not disabled',
  },
  {
    name: 'sign-out',
    summary: 'End all sessions of an account.',
    act: (side, userId, intent) => operate(side, userId, 'sign-out', intent),
    done: 'is signed out everywhere',
    already: 'was signed out already',
  },
  {
    name: 'erase',
    summary: 'Erase an account for good, with all that is known of its user.',
    act: (side, userId, intent) => operate(side, userId, 'erase', intent),
    done: 'is erased; where Roster runs, what is left of it goes now',
    already: 'was erased already',
  },
  {
    name: 'send-reset',
    summary: 'Have the service mail a password reset to an account’s address.',
    act: (side, userId, intent, { resetTokenTtlSeconds }) =>
      sendReset(side, userId, resetTokenTtlSeconds, intent),
    done: 'will be mailed a reset',
    already: 'asked for a reset less than a minute ago, which has not changed',
  },
]

/** `roster user`: what operators do to one account, as events with the operator as actor. */
export function addUser(program: Command, shell: Shell): void {
  const user = program.command('user').description('Shut, open, mend or erase an account.')
  for (const { name, summary, act, done, already } of tools) {
    const command = user.command(`${name} <username|id>`)
    describeTool(command, summary, `$ npx roster user ${name} egekaya\negekaya (id 42) ${done}`).action(
      (who: string, options: Options) => run(shell, who, options, act, { done, already }),
    )
  }
  const command = user.command('set-email <username|id> <email>')
  const summary = 'Set the address of an account, "" for none. The old address is told.'
  const example = '$ npx roster user set-email egekaya ege@example.org\negekaya (id 42) has the address now'
  describeTool(command, summary, example).action((who: string, email: string, options: Options) => {
    if (email !== '' && (email.length > longestEmail || !isValidEmail(email))) {
      throw new ToolFailure(exitCodes.wrongUse, `expected an e-mail address, found ${JSON.stringify(email)}`)
    }
    const words = { done: 'has the address now', already: 'had the address already' }
    return run(shell, who, options, (side, userId, intent) => setEmail(side, userId, email, intent), words)
  })
}

async function run(
  shell: Shell,
  who: string,
  { json }: Options,
  act: OperateOn,
  { done, already }: { done: string; already: string },
): Promise<void> {
  const { userId, changed } = await operateOnUser(shell.config(), who, act)
  await answer(shell, json, { user: userId, changed }, `${who} (id ${userId}) ${changed ? done : already}`)
}
