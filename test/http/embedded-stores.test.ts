import { startServer } from '../support/server.ts'
import { httpSuite } from './suite/index.ts'

httpSuite('the embedded stores', startServer)
