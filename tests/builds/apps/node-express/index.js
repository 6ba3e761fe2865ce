const e=require('express');const a=e();a.get('/',(q,r)=>r.send('hi'));a.listen(3000)
