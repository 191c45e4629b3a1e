#!/usr/bin/env node
'use strict'

require('./thread-pool.cjs')
import('../dist/src/cli.js')
