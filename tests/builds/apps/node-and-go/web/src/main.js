document.title = 'Board'
