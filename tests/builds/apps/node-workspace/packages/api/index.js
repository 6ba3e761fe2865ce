const app = require('express')()
app.get('/', (q, r) => r.send(require('@x/lib')))
app.listen(3000)
