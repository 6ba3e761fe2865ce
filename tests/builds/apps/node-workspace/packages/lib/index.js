module.exports = 'from the workspace'
