// SPDX-License-Identifier: Apache-2.0
// An OPC UA server of another make (node-opcua) for the tests: node opcua_server_peer.js PORT FOLDER [CERTIFICATE KEY]
// Offers every security policy and trusts every client (the client's trust is what is tested). What is written to
// Line.Wanted becomes Line.Speed; Start does the same by a call. Line.Motor and others are of structures of its own.
"use strict";
const opcua = require("node-opcua");
const path = require("path");
const [port, folder, certificateFile, privateKeyFile] = [Number(process.argv[2]), ...process.argv.slice(3)];

function addStructures(space, own, line, speed) {
  const types = space.getNamespace("urn:peer:types");
  const make = (name, fields) => space.constructExtensionObject(types.findDataType(name), fields);
  const motor = (position) => make("Motor", {
    name: "feed",
    note: { locale: "en", text: "oiled" },
    main: { position, mode: 5 },
    axes: [{ position: 1.5, mode: 0 }, { position: 2.5, mode: 5 }],
    currents: [10.5, 11.5],
    started: new Date("2026-01-01T00:00:00Z"),
    limits: { low: -5, high: 55 },
    cycle: 12.5,
  });
  const add = (name, dataType, value) => own.addVariable({
    componentOf: line,
    browseName: name,
    nodeId: `s=Line.${name}`,
    dataType: types.findDataType(dataType) || dataType,
    valueRank: Array.isArray(value) ? 1 : -1,
    value: { dataType: "ExtensionObject", arrayType: Array.isArray(value) ? "Array" : "Scalar", value },
  });
  const moving = add("Motor", "Motor", motor(4.5));
  speed.on("value_changed", (value) => moving.setValueFromSource({ dataType: "ExtensionObject", value: motor(value.value.value) }));
  add("Motors", "Motor", [motor(1), motor(104.5)]);
  add("Option", "Option", make("Option", { count: 9, rate: 0.75 }));
  add("Choice", "Choice", make("Choice", { count: -17 }));
  add("Open", "Structure", make("Axis", { position: 7.5, mode: 5 }));
}

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
    ...(certificateFile ? { certificateFile, privateKeyFile } : {}),
    userCertificateManager: certificates,
    securityPolicies: [
      opcua.SecurityPolicy.None,
      opcua.SecurityPolicy.Basic256Sha256,
      opcua.SecurityPolicy.Aes128_Sha256_RsaOaep,
      opcua.SecurityPolicy.Aes256_Sha256_RsaPss,
    ],
    securityModes: [opcua.MessageSecurityMode.None, opcua.MessageSecurityMode.Sign, opcua.MessageSecurityMode.SignAndEncrypt],
    userManager: { isValidUser: (name, password) => name === "operator" && password === "secret" },
    nodeset_filename: [opcua.nodesets.standard, path.join(__dirname, "opcua_server_peer_types.xml")],
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
  addStructures(space, own, line, speed);
  await server.start();
  console.log("ready");
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
