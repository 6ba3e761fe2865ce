const assert = require('node:assert')
const { test } = require('node:test')
const { greeting } = require('../dist/greeting')

test('it greets', () => assert.equal(greeting('a'), 'Hello from a\n'))
