import { generateKeyPairSync } from 'node:crypto'
import { open } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { InvalidKeys } from '../account/signing-keys.ts'
import { publicKeyOf } from './export-file/signature.ts'
import { answer, describeTool, exitCodes, type Shell, ToolFailure } from './shell.ts'
import { addTokenKey, putTokenKeyFirst } from './token-keys.ts'

const newExample = `$ npx roster keys new keys.json
added 3kPz… to keys.json (keep it secret): it signs tokens where JWT_KEYS=keys.json
$ npx roster keys new export-key.pem
made export-key.pem (keep it secret) and export-key.pub.pem`

const firstExample = `$ npx roster keys first keys.json 3kPz…
3kPz… signs now, where keys.json is read anew`

type Options = { json?: true; alg: 'ES256' | 'RS256'; first?: boolean }

/** `roster keys`: keys that sign tokens, in a JWK set, and keys that sign exports, in PEM. */
export function addKeys(program: Command, shell: Shell): void {
  const keys = program.command('keys').description('Make keys for tokens and for exports.')
  const make = keys.command('new [file]')
  const summary = `Make a key. In a .json file, or without one in that of JWT_KEYS: a key that signs tokens. It is added to the
JWK set there, as the last of those that are there already; with several processes that is how to begin a rotation:
once all of them know the key, put it first. In any other file: an Ed25519 key that signs exports, in PEM.`
  describeTool(make, summary, newExample)
    .addOption(new Option('--alg <alg>', 'for tokens').choices(['ES256', 'RS256']).default('ES256'))
    .option('--first', 'for tokens: sign with it at once, also where there are other keys')
    .action((file: string | undefined, options: Options) => {
      const wanted = file ?? shell.config().jwtKeys
      if (wanted === null) {
        throw new ToolFailure(
          exitCodes.wrongUse,
          'expected a file, found none: neither given nor in JWT_KEYS',
        )
      }
      const isForTokens = file === undefined || file.endsWith('.json')
      return isForTokens ? makeTokenKey(shell, wanted, options) : makeExportKey(shell, wanted, options)
    })

  const first = keys.command('first <file> <kid>')
  describeTool(first, 'Put a key of a JWK set first, so that it signs tokens.', firstExample).action(
    async (file: string, kid: string, options: { json?: true }) => {
      const isThere = await putTokenKeyFirst(file, kid).catch(refuse(file))
      if (!isThere)
        throw new ToolFailure(exitCodes.difference, `expected a key ${kid} in ${file}, found none`)
      await answer(shell, options.json, { file, kid }, `${kid} signs now, where ${file} is read anew`)
    },
  )
}

async function makeTokenKey(
  shell: Shell,
  file: string,
  { json, alg, first = false }: Options,
): Promise<void> {
  const { kid, signs } = await addTokenKey(file, alg, first).catch(refuse(file))
  const what = signs
    ? `it signs tokens where JWT_KEYS=${file}`
    : `it verifies tokens where ${file} is read anew, and signs once it is put first`
  await answer(shell, json, { file, kid, alg, signs }, `added ${kid} to ${file} (keep it secret): ${what}`)
}

function refuse(file: string): (cause: unknown) => never {
  return cause => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message =
      cause instanceof InvalidKeys ? `${file}: ${reason}` : `expected to change ${file}: ${reason}`
    throw new ToolFailure(exitCodes.wrongUse, message, { cause })
  }
}

async function makeExportKey(shell: Shell, file: string, { json }: Pick<Options, 'json'>): Promise<void> {
  const publicFile = file.replace(/(\.pem)?$/, '.pub.pem')
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  await writeNew(file, privateKey, 0o600)
  await writeNew(publicFile, publicKey, 0o644)
  const made = { privateKey: file, publicKey: publicFile, key: publicKeyOf(publicKey) }
  await answer(shell, json, made, `made ${file} (keep it secret) and ${publicFile}`)
}

/** Never over a file that is there: a key lost is lost for good. */
async function writeNew(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode).catch(cause => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ToolFailure(exitCodes.wrongUse, `expected to make a new file ${file}: ${reason}`, { cause })
  })
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
