import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { notFound, Refusal } from './errors.ts'
import type { Answer, Exchange } from './exchange.ts'

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

const fileTypes = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
])

/** The page that shows `/openapi.json`, made of files that are installed here. */
export const showDocs = () => found('text/html; charset=utf-8', page)

/** A file that the page needs. */
export async function showDocsFile({ segment }: Exchange): Promise<Answer> {
  if (segment === 'start.js') return found('text/javascript; charset=utf-8', start)
  const type = fileTypes.get(segment)
  if (type === undefined) throw new Refusal(notFound())
  return found(type, await readFile(join(swaggerUi, segment)))
}

function found(type: string, body: string | Buffer): Answer {
  return { status: 200, type, body, headers: [] }
}
