import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import type { MeasuredLine } from './comparison.ts'

const headings = ['case', 'Roster', 'compared with', 'ratio', 'wanted', '']

/** A table for people to read in a terminal. */
export function terminalTable(lines: readonly MeasuredLine[]): string {
  const rows = [headings, ...lines.map(cells)]
  const widths = headings.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const padded = rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return padded.join('\n')
}

/** The same for the repository, with what it was measured on. */
export function markdownReport(
  command: string,
  lines: readonly MeasuredLine[],
  notes: readonly string[],
): string {
  const rows = [headings, headings.map(() => '---'), ...lines.map(cells)]
  return [
    `# Results of \`${command}\``,
    '',
    ...machine().map(fact => `- ${fact}`),
    ...notes.map(note => `- ${note}`),
    '',
    ...rows.map(row => `| ${row.join(' | ')} |`),
    '',
  ].join('\n')
}

function cells({ title, figure, comparedWith, ratio, wanted, verdict }: MeasuredLine): string[] {
  return [title, figure, comparedWith, ratio, wanted, verdict]
}

function machine(): string[] {
  const processor = cpus()[0]?.model ?? 'unknown processor'
  const memory = Math.round(totalmem() / 1024 ** 3)
  return [
    `${new Date().toISOString().slice(0, 10)}, ${commit()}`,
    `${processor}, ${availableParallelism()} cores, ${memory} GiB, ${type()} ${release()}`,
    `Node ${process.version}`,
  ]
}

function commit(): string {
  try {
    const text = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: 'pipe' })
    return `commit ${text.trim()}`
  } catch {
    return 'not in a git checkout'
  }
}
