import { startServer } from '../support/server.ts'
import { routesSuite } from './suite/index.ts'

routesSuite('the embedded stores', startServer)
