import { h, render } from 'preact'

fetch('/api/time')
  .then((answer) => answer.json())
  .then(({ zone }) => render(h('p', null, `The server is in ${zone}`), document.getElementById('app')))
