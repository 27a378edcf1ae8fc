// SPDX-License-Identifier: Apache-2.0
// An edge node made of the npm package sparkplug-client, with the metrics that our edge node has in the tests:
//   node sparkplug_twin.js PORT GROUP EDGE
// Ends with its parent.
'use strict';
const sparkplug = require('sparkplug-client');

const [port, groupId, edgeNode] = process.argv.slice(2);
const client = sparkplug.newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`, username: '', password: '', groupId, edgeNode, clientId: edgeNode,
  version: 'spBv1.0', publishDeath: true,
});
client.on('birth', () => {
  const timestamp = Date.now();
  const double = (name, value) => ({ name, value, type: 'Double', timestamp });
  client.publishNodeBirth({
    timestamp, metrics: [{ name: 'Node Control/Rebirth', value: false, type: 'Boolean', timestamp }, double('load', 0)],
  });
  client.publishDeviceBirth('cell', { timestamp, metrics: [double('speed', 0)] });
  client.publishDeviceData('cell', { timestamp, metrics: [double('speed', 1.5)] });
});
setInterval(() => process.ppid === 1 && process.exit(), 500);
