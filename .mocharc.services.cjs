// Beside each other, every file has to have a test for `fail-zero`: those without a server to run on are left out.
const { EVENTSTORE_URL, MONGODB_URL } = process.env
if (!EVENTSTORE_URL && !MONGODB_URL)
  throw new Error('expected EVENTSTORE_URL or MONGODB_URL in the environment, found neither')

const files = MONGODB_URL ? ['**/*'] : ['event-store', 'http']

module.exports = {
  ...require('./.mocharc.json'),
  spec: files.map(file => `test/services/${file}.test.ts`),
  ignore: EVENTSTORE_URL ? [] : ['test/services/event-store.test.ts'],
  jobs: 2,
}
