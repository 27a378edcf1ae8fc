// SPDX-License-Identifier: Apache-2.0
// A Sparkplug host application on the npm packages `mqtt` and `sparkplug-payload`, driven by lines on standard input and
// telling on standard output, one JSON object a line, what it saw:
//   node sparkplug_host.js PORT GROUP EDGE HOST
//   in:  online | offline | rebirth | dcmd DEVICE METRIC VALUE
//   out: {"event":"ready"}, {"event":"NBIRTH","seq":0,"metrics":[{"name":…,"value":…,…}]}, …
// Names are put in for aliases from the births, and every sequence number is held against the one before.
'use strict';
const readline = require('readline');
const mqtt = require('mqtt');
const sparkplug = require('sparkplug-payload').get('spBv1.0');

const [port, group, edge, host] = process.argv.slice(2);
const state = `spBv1.0/STATE/${host}`;
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4, clean: true, reconnectPeriod: 50 });
const nodes = new Map(); // by edge node: its aliases, and the sequence number expected next

const tell = (object) => process.stdout.write(JSON.stringify(object) + '\n');
const number = (value) => (value && typeof value.toNumber === 'function' ? value.toNumber() : value);

client.on('connect', () => {
  client.subscribe([`spBv1.0/${group}/#`], { qos: 1 }, () => tell({ event: 'ready' }));
});
client.on('error', (error) => tell({ event: 'error', text: String(error) }));

client.on('message', (topic, bytes, packet) => {
  const [, , message, from, device] = topic.split('/');
  if (message.endsWith('CMD')) return;
  let payload;
  try {
    payload = sparkplug.decodePayload(bytes);
  } catch (error) {
    tell({ event: 'undecodable', topic, text: String(error) });
    return;
  }
  const seq = payload.seq === undefined || payload.seq === null ? null : number(payload.seq);
  let inOrder = true;
  if (message === 'NBIRTH' || !nodes.has(from)) nodes.set(from, { aliases: new Map(), expected: 0 });
  const node = nodes.get(from);
  if (message !== 'NDEATH') {
    inOrder = seq === node.expected;
    node.expected = (seq + 1) % 256;
  }
  const metrics = (payload.metrics || []).map((metric) => {
    const alias = metric.alias === undefined || metric.alias === null ? null : number(metric.alias);
    if (metric.name && alias !== null && message.endsWith('BIRTH')) node.aliases.set(alias, metric.name);
    const properties = {};
    for (const [key, property] of Object.entries(metric.properties || {})) properties[key] = number(property.value);
    return {
      name: metric.name || node.aliases.get(alias) || null,
      named: Boolean(metric.name),
      value: number(metric.value),
      type: metric.type,
      timestamp: number(metric.timestamp),
      historical: Boolean(metric.isHistorical),
      properties,
    };
  });
  tell({ event: message, edge: from, device: device || null, seq, inOrder, retain: packet.retain, qos: packet.qos,
         timestamp: number(payload.timestamp), metrics });
});

const write = (topic, metrics) =>
  client.publish(topic, Buffer.from(sparkplug.encodePayload({ timestamp: Date.now(), metrics })), { qos: 0 });
const announce = (online) =>
  client.publish(state, JSON.stringify({ online, timestamp: Date.now() }), { qos: 1, retain: true });

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [verb, device, metric, value] = line.split(' ');
  if (verb === 'online' || verb === 'offline') announce(verb === 'online');
  if (verb === 'rebirth')
    write(`spBv1.0/${group}/NCMD/${edge}`, [{ name: 'Node Control/Rebirth', type: 'Boolean', value: true }]);
  if (verb === 'dcmd')
    write(`spBv1.0/${group}/DCMD/${edge}/${device}`, [{ name: metric, type: 'Double', value: Number(value) }]);
}).on('close', () => process.exit(0));
