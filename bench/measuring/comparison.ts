/** Something that can be measured for a while: how many of it are done in a second. */
export type Side = { name: string; measure(seconds: number): Promise<number> }

/** A line of the table: how `of` does beside `to`. `wanted` null: shown for comparison, nothing is asked. */
export type RatioLine = { title: string; of: Side; to: Side; wanted: number | null }

export type Rounds = {
  count: number
  seconds: number
  /** How long each side runs first, without being counted: until its code is compiled. */
  warmUpSeconds: number
  /** What passes between two measurements. */
  settleSeconds: number
}

export type MeasuredLine = {
  title: string
  figure: string
  comparedWith: string
  ratio: string
  wanted: string
  verdict: 'ok' | 'short' | ''
}

/**
 * Measures every side of `lines` once in each round, in an order that changes from round to round. Figures and ratios
 * are medians; a ratio is that of one round.
 */
export async function compare(lines: readonly RatioLine[], rounds: Rounds): Promise<MeasuredLine[]> {
  const sides = [...new Set(lines.flatMap(({ of, to }) => [of, to]))]
  const figures = new Map(sides.map(side => [side, [] as number[]]))
  for (const side of rounds.warmUpSeconds > 0 ? sides : []) {
    await side.measure(rounds.warmUpSeconds)
    await pause(rounds.settleSeconds)
  }
  for (let round = 0; round < rounds.count; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const figure = await side.measure(rounds.seconds)
      if (!(figure > 0))
        throw new Error(`expected ${side.name} to do something in ${rounds.seconds} s, found ${figure}`)
      figures.get(side)?.push(figure)
      await pause(rounds.settleSeconds)
    }
  }
  return lines.map(line => {
    const of = figures.get(line.of) ?? []
    const to = figures.get(line.to) ?? []
    return measuredLine(line, {
      of: median(of),
      to: median(to),
      ratio: median(of.map((figure, at) => figure / (to[at] ?? 0))),
    })
  })
}

function measuredLine(line: RatioLine, found: { of: number; to: number; ratio: number }): MeasuredLine {
  return {
    title: line.title,
    figure: perSecond(found.of),
    comparedWith: `${line.to.name}: ${perSecond(found.to)}`,
    ratio: found.ratio.toFixed(2),
    wanted: line.wanted === null ? '' : `≥ ${line.wanted.toFixed(2)}`,
    verdict: line.wanted === null ? '' : found.ratio >= line.wanted ? 'ok' : 'short',
  }
}

/** The middle one, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  if (low === undefined || high === undefined) throw new RangeError('median of no values')
  return (low + high) / 2
}

export function perSecond(figure: number): string {
  return `${whole(figure)}/s`
}

export function whole(figure: number): string {
  return figure.toLocaleString('en', { maximumFractionDigits: 0 })
}

export function pause(seconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, seconds * 1000))
}
