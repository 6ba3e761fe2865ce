import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { notes } from './notes.js'

const app = new Hono()
app.get('/', (c) => c.json(notes))
serve({ fetch: app.fetch, port: 8080 })
