import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const command = z.array(z.string()).min(1)

/** What the last stage of a Dockerfile runs. */
export type Image = {
  environment: Record<string, string>
  command: string[]
  /** Exits with 0 when the container is healthy. */
  healthCheck: string[]
}

/** Reads ENV, CMD and HEALTHCHECK of the last stage, which are to be in their exec forms. */
export async function readDockerfile(file: string): Promise<Image> {
  const text = (await readFile(file, 'utf8')).replaceAll(/\\\n\s*/g, '')
  const lines = text.split('\n').filter(line => !line.startsWith('#'))
  const lastStage = lines.slice(lines.findLastIndex(line => line.startsWith('FROM ')))
  const environment = argumentsOf(lastStage, 'ENV').flatMap(pairs => pairs.split(' '))
  return {
    environment: Object.fromEntries(environment.map(pair => pair.split(/=(.*)/s, 2))),
    command: execForm(argumentsOf(lastStage, 'CMD')),
    healthCheck: execForm(argumentsOf(lastStage, 'HEALTHCHECK').map(line => line.replace(/^.*? CMD /, ''))),
  }
}

function argumentsOf(lines: readonly string[], instruction: string): string[] {
  return lines
    .filter(line => line.startsWith(`${instruction} `))
    .map(line => line.slice(instruction.length + 1))
}

function execForm(found: readonly string[]): string[] {
  const [only = 'null'] = found
  return command.parse(JSON.parse(only))
}
