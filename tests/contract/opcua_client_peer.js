// SPDX-License-Identifier: Apache-2.0
// An OPC UA client of another make (node-opcua) for the tests: node opcua_client_peer.js ENDPOINT FOLDER POLICY [USER PASSWORD]
// Tries to connect until it may, then reads, writes what it may and what it may not, subscribes to a value and to events,
// and prints what it finds as one JSON object to a line.
"use strict";
const opcua = require("node-opcua");
const path = require("path");
const [endpoint, folder, policy, userName, password] = process.argv.slice(2);

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const id = (name) => `ns=2;s=${name}`;
const name = (status) => status.name;

async function connected() {
  const certificates = new opcua.OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: path.join(folder, "client-pki"),
  });
  await certificates.initialize();
  for (;;) {
    const client = opcua.OPCUAClient.create({
      applicationName: "peer",
      clientCertificateManager: certificates,
      securityMode: policy === "None" ? opcua.MessageSecurityMode.None : opcua.MessageSecurityMode.SignAndEncrypt,
      securityPolicy: opcua.SecurityPolicy[policy],
      endpointMustExist: false,
      connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 100 },
    });
    try {
      await client.connect(endpoint);
      return client;
    } catch (error) {
      say({ refused: String(error.message).split("\n")[0] });
      await client.disconnect().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

async function write(session, node, dataType, value) {
  const status = await session.write({
    nodeId: id(node),
    attributeId: opcua.AttributeIds.Value,
    value: { value: { dataType, value } },
  });
  say({ wrote: node, value, status: name(status) });
}

async function subscribe(session) {
  const subscription = await session.createSubscription2({
    requestedPublishingInterval: 20,
    requestedLifetimeCount: 1000,
    requestedMaxKeepAliveCount: 10,
    publishingEnabled: true,
    maxNotificationsPerPublish: 1000,
  });
  const item = await subscription.monitor(
    { nodeId: id("Line/speed"), attributeId: opcua.AttributeIds.Value },
    { samplingInterval: 20, queueSize: 100, discardOldest: true },
    opcua.TimestampsToReturn.Both
  );
  item.on("changed", (data) =>
    say({ change: data.value.value, status: name(data.statusCode), time: data.sourceTimestamp && data.sourceTimestamp.getTime() })
  );
  const filter = opcua.constructEventFilter(["SourceName", "Message", "Severity", "Time", "EventType"]);
  const events = await subscription.monitor(
    { nodeId: "i=2253", attributeId: opcua.AttributeIds.EventNotifier },
    { filter, samplingInterval: 0, queueSize: 100, discardOldest: true },
    opcua.TimestampsToReturn.Both
  );
  events.on("changed", (fields) =>
    say({ event: fields[1].value.text, source: fields[0].value, severity: fields[2].value, type: String(fields[4].value) })
  );
}

async function main() {
  const client = await connected();
  const identity = userName ? { type: opcua.UserTokenType.UserName, userName, password } : undefined;
  const session = await client.createSession(identity);
  say({ connected: policy });
  const browsed = await session.browse(id("Line"));
  say({ browsed: browsed.references.map((reference) => reference.browseName.name).sort() });
  const speed = await session.read({ nodeId: id("Line/speed"), attributeId: opcua.AttributeIds.Value });
  say({ read: speed.value.value, type: opcua.DataType[speed.value.dataType], status: name(speed.statusCode), time: speed.sourceTimestamp.getTime() });
  const found = await session.translateBrowsePath(opcua.makeBrowsePath(id("Line/speed"), ".EngineeringUnits"));
  const unit = await session.read({ nodeId: found.targets[0].targetId, attributeId: opcua.AttributeIds.Value });
  say({ unit: unit.value.value.displayName.text, unitId: unit.value.value.unitId });
  await write(session, "Line/wanted", opcua.DataType.Double, 1200);
  await write(session, "Line/wanted", opcua.DataType.Double, 1501);
  await write(session, "Line/wanted", opcua.DataType.String, "fast");
  await write(session, "Line/lamp", opcua.DataType.Boolean, true);
  await write(session, "Line/speed", opcua.DataType.Double, 1);
  const count = await session.read({ nodeId: id("Alarms/Count"), attributeId: opcua.AttributeIds.Value });
  say({ alarms: count.value.value });
  await subscribe(session);
  say({ subscribed: true });
}

process.on("unhandledRejection", (error) => {
  say({ failed: String(error) });
  process.exit(1);
});
main();
