// MQTT.js against a running broker: `node client_test.js MODULE HOST PORT`.
//
// For MQTT 3.1.1 and 5.0: each QoS, retained messages, a will, and what is particular to 5.0.
// CLIENT_PROTOCOL is mqtt, ws or wss, CLIENT_CA whose certificates are good. MODULE is the folder
// that `npm ci` has put MQTT.js into; it lies outside the sources.
'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const [folder, host, port] = process.argv.slice(2)
const protocol = process.env.CLIENT_PROTOCOL || 'mqtt'
const ca = process.env.CLIENT_CA && fs.readFileSync(process.env.CLIENT_CA)
const mqtt = require(path.join(folder, 'node_modules', 'mqtt'))

const VERSIONS = [4, 5]
const QUALITIES = [0, 1, 2]
const DEADLINE_MS = 20000

// A connected client whose messages wait in a queue until next() asks for them.
async function connect(options) {
  const client = await mqtt.connectAsync({
    host, port: Number(port), protocol, ca, reconnectPeriod: 0, connectTimeout: DEADLINE_MS,
    ...options
  })
  const messages = []
  const waiting = []
  client.on('message', (topic, payload, packet) => {
    const message = { topic, text: payload.toString(), ...packet }
    if (waiting.length > 0) waiting.shift()(message)
    else messages.push(message)
  })
  client.next = () => new Promise((resolve, reject) => {
    if (messages.length > 0) return resolve(messages.shift())
    const timer = setTimeout(() => reject(new Error('no message came')), DEADLINE_MS)
    waiting.push((message) => { clearTimeout(timer); resolve(message) })
  })
  return client
}

async function checkEachQuality(protocolVersion) {
  const client = await connect({ protocolVersion })
  for (const qos of QUALITIES) {
    const topic = `js/${qos}`
    const granted = await client.subscribeAsync(topic, { qos })
    assert.equal(granted[0].qos, qos)
    // Ten at a time: MQTT.js does not know the broker's Receive Maximum.
    for (let batch = 0; batch < 100; batch += 10) {
      const numbers = Array.from({ length: 10 }, (_, at) => String(batch + at))
      const sending = numbers.map((number) => client.publishAsync(topic, number, { qos }))
      for (const number of numbers) {
        const got = await client.next()
        assert.deepEqual([got.topic, got.text, got.qos, got.retain], [topic, number, qos, false])
      }
      await Promise.all(sending)
    }
    await client.unsubscribeAsync(topic)
  }
  await client.endAsync()
}

async function checkRetained(protocolVersion) {
  const client = await connect({ protocolVersion })
  await client.publishAsync('js/kept', 'one', { qos: 1, retain: true })
  await client.subscribeAsync('js/kept', { qos: 1 })
  const got = await client.next()
  assert.deepEqual([got.text, got.retain], ['one', true])
  await client.publishAsync('js/kept', '', { qos: 1, retain: true })
  assert.equal((await client.next()).text, '')
  await client.unsubscribeAsync('js/kept')
  await client.subscribeAsync(['js/kept', 'js/end'], { qos: 1 })
  await client.publishAsync('js/end', 'end', { qos: 1 })
  assert.equal((await client.next()).text, 'end')
  await client.endAsync()
}

async function checkWill(protocolVersion) {
  const watcher = await connect({ protocolVersion })
  await watcher.subscribeAsync('js/will', { qos: 1 })
  const will = { topic: 'js/will', payload: Buffer.from('gone'), qos: 1, retain: false }
  const victim = await connect({ protocolVersion, will })
  victim.stream.destroy()
  assert.equal((await watcher.next()).text, 'gone')
  const leaver = await connect({ protocolVersion, will, clientId: 'leaver' })
  await leaver.endAsync()
  // A second connection with the id is answered only when the first is over and done.
  await (await connect({ protocolVersion, clientId: 'leaver' })).endAsync()
  await watcher.publishAsync('js/will', 'sentinel', { qos: 1 })
  assert.equal((await watcher.next()).text, 'sentinel')
  victim.end(true)
  await watcher.endAsync()
}

async function checkProperties() {
  const client = await connect({ protocolVersion: 5 })
  await client.subscribeAsync('js/5', { qos: 1 })
  const properties = {
    contentType: 'text/plain',
    responseTopic: 'js/answer',
    correlationData: Buffer.from([0, 255]),
    payloadFormatIndicator: true,
    userProperties: { colour: ['red', 'blue'] }
  }
  await client.publishAsync('js/5', 'x', { qos: 1, properties })
  const got = (await client.next()).properties
  assert.equal(got.contentType, 'text/plain')
  assert.equal(got.responseTopic, 'js/answer')
  assert.deepEqual([...got.correlationData], [0, 255])
  assert.equal(got.payloadFormatIndicator, true)
  assert.deepEqual([...got.userProperties.colour], ['red', 'blue'])
  await client.endAsync()
}

async function main() {
  for (const version of VERSIONS) {
    await checkEachQuality(version)
    await checkRetained(version)
    await checkWill(version)
  }
  await checkProperties()
}

main().then(() => process.exit(0), (error) => {
  console.error(error)
  process.exit(1)
})
