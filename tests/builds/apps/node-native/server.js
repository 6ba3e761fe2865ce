const http = require('http')
const bcrypt = require('bcrypt')
http.createServer(async (q, r) => { const h = await bcrypt.hash('x', 4); r.end('bcrypt ' + await bcrypt.compare('x', h)) }).listen(3000)
