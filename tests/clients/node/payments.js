// Drives `hubtelmobilepayment` from a test: reads one call in each line of the standard input, [method, argument], and
// answers each with one line: what the client's promise resolved to.
'use strict'

const readline = require('readline')
const request = require('request')
const Hubtel = require('hubtelmobilepayment')

// The only change: the client has its server's address written into every call.
const post = request.post
const get = request.get
const moved = (url) => url.replace('https://api.hubtel.com', process.env.BASE_URL)
request.post = (url, ...rest) => post(moved(url), ...rest)
request.get = (url, ...rest) => get(moved(url), ...rest)

const hubtel = new Hubtel({
  clientid: process.env.CLIENT_ID, secretid: process.env.CLIENT_SECRET, merchantaccnumber: process.env.ACCOUNT
})

readline.createInterface({ input: process.stdin }).on('line', function (line) {
  const [method, value] = JSON.parse(line)
  hubtel[method](value).then(function (answer) {
    process.stdout.write(JSON.stringify(answer) + '\n')
  })
})
