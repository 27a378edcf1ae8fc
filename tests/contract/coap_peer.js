// SPDX-License-Identifier: Apache-2.0
// A CoAP device, or one that speaks to a server, made of the npm package coap. Ends with its parent.
//   node coap_peer.js serve PORT       /counter and /temperature count up every 20 ms (observable), /valve can be PUT
//                                      from 0 to 100 and read
//   node coap_peer.js observe PORT PATH   prints a line for each value of PATH
//   node coap_peer.js push PORT PATH COUNT   PUTs COUNT readings as JSON, one after the other; prints the codes
const coap = require('coap');

const [mode, port, path, count] = process.argv.slice(2);
setInterval(() => process.ppid === 1 && process.exit(), 500);

if (mode === 'serve') {
  let counter = 0;
  let valve = '0';
  const server = coap.createServer((request, response) => {
    if (request.url === '/valve') {
      if (request.method === 'PUT') {
        const wanted = request.payload.toString();
        response.code = Number(wanted) <= 100 ? '2.04' : '4.00';
        if (response.code === '2.04') valve = wanted;
        return response.end();
      }
      response.setOption('Content-Format', 'text/plain');
      return response.end(valve);
    }
    if (request.url !== '/counter' && request.url !== '/temperature') {
      response.code = '4.04';
      return response.end();
    }
    response.setOption('Content-Format', 'application/json');
    const value = () => JSON.stringify({ value: counter, time: new Date().toISOString() });
    if (request.headers.Observe !== 0) return response.end(value());
    response.write(value());
    const timer = setInterval(() => { counter += 1; response.write(value()); }, 20);
    response.on('finish', () => clearInterval(timer));
  });
  server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
} else if (mode === 'observe') {
  const request = coap.request({ host: '127.0.0.1', port: Number(port), pathname: path, observe: true });
  request.on('response', (response) => response.on('data', (data) => console.log(data.toString())));
  request.end();
} else {
  const push = (i) => {
    if (i > Number(count)) return process.exit();
    const request = coap.request({
      host: '127.0.0.1', port: Number(port), pathname: path, method: 'PUT',
      options: { 'Content-Format': 'application/json' },
    });
    request.on('response', (response) => { console.log(response.code); setTimeout(push, 5, i + 1); });
    request.end(JSON.stringify({ value: i, unit: 'bar' }));
  };
  push(1);
}
