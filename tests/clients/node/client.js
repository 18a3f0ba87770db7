// Drives `smsghjs` from a test: reads one call in each line of the standard input, [method, ...arguments], and answers
// each with one line: what the client gave to its callback.
'use strict'

const readline = require('readline')
const SMSGH = require('smsghjs')

const sms = new SMSGH({ clientId: process.env.CLIENT_ID, clientSecret: process.env.CLIENT_SECRET })
SMSGH.SendMessage.BASE_URL_PLC = process.env.BASE_URL + '/%s/messages' // the only change
sms.setContextPath(process.env.API_VERSION)

readline.createInterface({ input: process.stdin }).on('line', function (line) {
  const [method, ...values] = JSON.parse(line)
  sms.messaging[method](...values, function (error, result) {
    const answer = error
      ? { status: error.status || null, message: error.message, body: result ? result.body : null }
      : { status: null, message: null, body: result }
    process.stdout.write(JSON.stringify(answer) + '\n')
  })
})
