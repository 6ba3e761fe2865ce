import { greeting } from './greeting'

const polka = require('polka')

const server = polka()
  .get('/', (_: unknown, response: { end(text: string): void }) => response.end(greeting('stages')))
  .listen(3000)

process.on('SIGTERM', () => server.server.close())
