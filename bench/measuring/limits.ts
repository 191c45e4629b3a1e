import { type MeasuredLine, whole } from './comparison.ts'

type Figure = { title: string; found: number; unit: string }

/** A line for what has to reach a figure. */
export function atLeast(wanted: number, { title, found, unit }: Figure): MeasuredLine {
  return lineOf({ title, found, unit }, `≥ ${whole(wanted)}${unit}`, found >= wanted)
}

/** A line for what has to stay below a figure. */
export function below(wanted: number, { title, found, unit }: Figure): MeasuredLine {
  return lineOf({ title, found, unit }, `< ${whole(wanted)}${unit}`, found < wanted)
}

function lineOf({ title, found, unit }: Figure, wanted: string, isReached: boolean): MeasuredLine {
  const verdict = isReached ? 'ok' : 'short'
  return { title, figure: `${shown(found)}${unit}`, comparedWith: '', ratio: '', wanted, verdict }
}

function shown(figure: number): string {
  return figure < 10 ? figure.toFixed(1) : whole(figure)
}
