import { invalidFields, Refusal } from './errors.ts'

export const largestPage = 200
export const usualPage = 50

const invalidLimit = { field: 'limit', message: `Ensure this value is between 1 and ${largestPage}.` }

/** How many of something a page has at most, as asked for. */
export function readLimit(sent: string | null | undefined, fallback: number): number {
  if (sent === undefined) return fallback
  const limit = sent !== null && /^[0-9]+$/.test(sent) ? Number(sent) : 0
  if (limit < 1 || limit > largestPage) throw new Refusal(invalidFields([invalidLimit]))
  return limit
}
