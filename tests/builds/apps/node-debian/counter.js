const fs = require('fs')
const path = require('path')
const express = require('express')

const file = path.join(__dirname, 'data', 'count.txt')
fs.mkdirSync(path.dirname(file), { recursive: true })

const app = express()
app.get('/', (req, res) => {
  fs.appendFileSync(file, 'x')
  res.send('counted\n')
})
app.listen(3000)
