import { startServer } from '../support/server.ts'
import { behaviourSuite } from './suite/index.ts'

behaviourSuite('the embedded stores', startServer)
