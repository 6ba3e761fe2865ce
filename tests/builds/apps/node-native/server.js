const bcrypt = require('bcrypt')
const Koa = require('koa')

const hash = bcrypt.hashSync('secret', 4)
const app = new Koa()
app.use(async (ctx) => {
  ctx.body = { accepted: await bcrypt.compare('secret', hash) }
})
app.listen(3000)
