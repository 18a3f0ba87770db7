// A USSD application written with `ussd-menu-builder` or `ussd-builder`, as their guides show it, with provider `hubtel`.
// Usage: node ussd_application.js PACKAGE; prints the port that it listens on.
'use strict'

const http = require('http')
const UssdMenu = require(process.argv[2])

const sessions = {}
const menu = new UssdMenu({ provider: 'hubtel' })

menu.sessionConfig({
  start: (id, callback) => {
    if (!(id in sessions)) sessions[id] = {}
    callback()
  },
  end: (id, callback) => {
    delete sessions[id]
    callback()
  },
  set: (id, key, value, callback) => {
    sessions[id][key] = value
    callback()
  },
  get: (id, key, callback) => callback(null, sessions[id][key])
})

menu.startState({
  run: () => menu.con('Welcome. Choose option:\n1. Show Balance\n2. Buy Airtime'),
  next: { 1: 'showBalance', 2: 'buyAirtime' }
})
menu.state('showBalance', {
  run: () => menu.end(`${menu.args.phoneNumber} of ${menu.args.operator || 'a network'}: your balance is GHC 20`)
})
menu.state('buyAirtime', {
  run: () => menu.con('Enter amount:'),
  next: { '*\\d+': 'buyAirtime.amount' }
})
menu.state('buyAirtime.amount', {
  run: () => menu.end(`Airtime for GHC ${menu.val} bought successfully.`)
})

const server = http.createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => { body += chunk })
  request.on('end', () => menu.run(JSON.parse(body), (result) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(result))
  }))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
