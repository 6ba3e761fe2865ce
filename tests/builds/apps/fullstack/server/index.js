const path = require('path')
const express = require('express')

const app = express()
app.use(express.static(path.join(__dirname, '..', 'client', 'dist')))
app.get('/api/time', (req, res) => res.json({ zone: process.env.TZ }))
app.listen(5000)
