import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** What `npm start` gives to node, once it has built the program: so that what is tried is what is used. */
export const startArguments: readonly string[] = argumentsOf(startScript())

function startScript(): string {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return scripts.start
}

function argumentsOf(script: string): string[] {
  const [node, ...given] = script.split(' ')
  const program = given.pop()
  if (node !== 'node' || program === undefined)
    throw new Error(`expected node and a program, found ${script}`)
  return [...given, join(root, program)]
}
