export const notes = [{ title: 'buy milk', done: false }]
