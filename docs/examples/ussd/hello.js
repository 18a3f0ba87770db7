// A USSD application with Node.js alone: `node hello.js`, then dial any code.
const { createServer } = require('http')

createServer((request, response) => {
  let body = ''
  request.on('data', (part) => { body += part }).on('end', () => {
    const { Sequence, Message } = JSON.parse(body)
    const answer = Sequence === 1
      ? { Type: 'Response', Message: 'What is your name?' }
      : { Type: 'Release', Message: `Hello ${Message}!` }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer))
  })
}).listen(process.env.PORT || 3000)
