import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Answer, Handler } from './exchange.ts'

const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Roster API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

// Without a validator: that one would be asked over the network.
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null })
`

const installed = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

/** The page that shows `/openapi.json`, made of files that are installed here. */
export const showDocs: Handler = () => found('text/html; charset=utf-8', page)

/** The files that the page needs, by name. */
export const docsFiles: readonly [string, Handler][] = [
  ['start.js', () => found('text/javascript; charset=utf-8', start)],
  ...Object.entries(installed).map(([name, type]): [string, Handler] => [
    name,
    async () => found(type, await readFile(join(swaggerUi, name))),
  ]),
]

function found(type: string, body: string | Buffer): Answer {
  return { status: 200, type, body, headers: [] }
}
