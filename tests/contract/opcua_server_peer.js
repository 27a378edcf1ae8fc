// SPDX-License-Identifier: Apache-2.0
// An OPC UA server of another make (node-opcua) for the tests: node opcua_server_peer.js PORT FOLDER
// Offers every security policy and trusts every client (the client's trust is what is tested). What is written to
// Line.Wanted becomes Line.Speed; Start does the same by a call.
"use strict";
const opcua = require("node-opcua");
const path = require("path");
const [port, folder] = [Number(process.argv[2]), process.argv[3]];

async function main() {
  const certificates = new opcua.OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: path.join(folder, "server-pki"),
  });
  await certificates.initialize();
  const server = new opcua.OPCUAServer({
    port,
    hostname: "127.0.0.1",
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    securityPolicies: [
      opcua.SecurityPolicy.None,
      opcua.SecurityPolicy.Basic256Sha256,
      opcua.SecurityPolicy.Aes128_Sha256_RsaOaep,
      opcua.SecurityPolicy.Aes256_Sha256_RsaPss,
    ],
    securityModes: [opcua.MessageSecurityMode.None, opcua.MessageSecurityMode.Sign, opcua.MessageSecurityMode.SignAndEncrypt],
    userManager: { isValidUser: (name, password) => name === "operator" && password === "secret" },
    buildInfo: { productName: "peer" },
    serverInfo: { applicationUri: "urn:peer:server" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.getOwnNamespace();
  const line = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Line", nodeId: "s=Line" });
  const speed = own.addAnalogDataItem({
    componentOf: line,
    browseName: "Speed",
    nodeId: "s=Line.Speed",
    dataType: "Double",
    engineeringUnitsRange: { low: 0, high: 3000 },
    engineeringUnits: opcua.standardUnits.revolutions_per_minute || opcua.standardUnits.degree_celsius,
    value: { dataType: "Double", value: 1450.5 },
  });
  const wanted = own.addVariable({
    componentOf: line,
    browseName: "Wanted",
    nodeId: "s=Line.Wanted",
    dataType: "UInt16",
    value: { dataType: "UInt16", value: 0 },
  });
  const become = (value) => speed.setValueFromSource({ dataType: "Double", value }, opcua.StatusCodes.Good);
  wanted.on("value_changed", (value) => become(value.value.value));
  own.addVariable({
    componentOf: line,
    browseName: "Axes",
    nodeId: "s=Line.Axes",
    dataType: "Float",
    valueRank: 1,
    arrayDimensions: [3],
    value: { dataType: "Float", arrayType: opcua.VariantArrayType.Array, value: new Float32Array([1.5, 2.5, 3.5]) },
  });
  const start = own.addMethod(line, {
    browseName: "Start",
    nodeId: "s=Line.Start",
    inputArguments: [{ name: "speed", dataType: opcua.DataType.Double }],
    outputArguments: [],
  });
  start.bindMethod((input, context, callback) => {
    become(input[0].value);
    callback(null, { statusCode: opcua.StatusCodes.Good });
  });
  await server.start();
  console.log("ready");
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
