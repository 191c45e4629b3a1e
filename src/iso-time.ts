const isoTime =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i

/**
 * A time in ISO 8601 as Roster writes them, in UTC with milliseconds; null if it is none. Without an offset it is UTC,
 * without a time of day the day's beginning.
 */
export function parseIsoTime(text: string): string | null {
  const [, day, time = '00:00:00', fraction = '', offset = 'Z'] = isoTime.exec(text.trim()) ?? []
  if (day === undefined || !isDay(day)) return null
  const seconds = time.length === 5 ? `${time}:00` : time
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3)
  const parsed = Date.parse(`${day}T${seconds}.${milliseconds}${withMinutes(offset)}`)
  return Number.isNaN(parsed) ? null : new Date(parsed).toISOString()
}

/** JavaScript takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  const parsed = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(parsed) && new Date(parsed).toISOString().startsWith(day)
}

function withMinutes(offset: string): string {
  const [sign, digits] = [offset.slice(0, 1), offset.slice(1).replace(':', '')]
  return digits === '' ? 'Z' : `${sign}${digits.slice(0, 2)}:${digits.slice(2) || '00'}`
}
