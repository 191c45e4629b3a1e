/** At most `points` within `seconds`, from the first one on. */
export type Rule = { points: number; seconds: number }

/**
 * What is limited, and by what it is counted. Logins and passwords count if they fail; sessions, notices, and changes of
 * the address by account and mailbox once nothing else speaks against them.
 */
export const defaultRules = {
  'logins-per-address': { points: 100, seconds: 900 },
  'logins-per-account': { points: 10, seconds: 900 },
  'sessions-per-account': { points: 600, seconds: 3600 },
  'passwords-per-account': { points: 10, seconds: 900 },
  'registrations-per-address': { points: 300, seconds: 3600 },
  'resets-per-address': { points: 100, seconds: 3600 },
  'mails-per-mailbox': { points: 5, seconds: 3600 },
  'email-changes-per-address': { points: 100, seconds: 3600 },
  'email-changes-per-account': { points: 10, seconds: 3600 },
  'email-changes-per-mailbox': { points: 5, seconds: 3600 },
  'notices-per-mailbox': { points: 10, seconds: 3600 },
  'edits-per-account': { points: 120, seconds: 60 },
  'searches-per-address': { points: 600, seconds: 60 },
} as const satisfies Record<string, Rule>

export type LimitName = keyof typeof defaultRules

/** What is not in here is not limited. */
export type Rules = ReadonlyMap<LimitName, Rule>

const limitNames = Object.keys(defaultRules).filter(isLimitName)

// Longer ones would overflow the timers of counts in memory.
const longestSeconds = 1_000_000

/**
 * The rules of a setting: `on`, `off`, or what differs from the default ones, as in
 * `searches-per-address=60/60,edits-per-account=off`. Throws an Error that says what was expected.
 */
export function parseRules(setting: string): Rules {
  if (setting === 'off') return new Map()
  const rules = new Map<LimitName, Rule>(limitNames.map(name => [name, defaultRules[name]]))
  for (const change of setting === 'on' ? [] : setting.split(',')) {
    const [name, rule] = parseChange(change)
    if (rule) rules.set(name, rule)
    else rules.delete(name)
  }
  return rules
}

function parseChange(change: string): [LimitName, Rule | null] {
  const [, name = '', points, seconds] = /^\s*([\w-]+)=(?:off|(\d{1,9})\/(\d{1,9}))\s*$/.exec(change) ?? []
  if (!isLimitName(name)) {
    throw new Error(`expected on, off, or NAME=COUNT/SECONDS or NAME=off of ${limitNames.join(', ')}`)
  }
  if (points === undefined) return [name, null]
  const rule = { points: Number(points), seconds: Number(seconds) }
  if (rule.points < 1 || rule.seconds < 1 || rule.seconds > longestSeconds) {
    throw new Error(`expected ${name} to be at least 1 within 1 to ${longestSeconds} seconds`)
  }
  return [name, rule]
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(defaultRules, name)
}
