// The calling side of the Node story: `node till.js BASE PATHS` asks for each path, then flushes.
'use strict';

const { flush } = require('./telemetry');
const { logs, SeverityNumber } = require('@opentelemetry/api-logs');
const http = require('node:http');

const log = logs.getLogger('till');

function call(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
  });
}

async function main([base, paths]) {
  const answers = {};
  for (const path of JSON.parse(paths)) {
    const status = await call(base + path);
    answers[status] = (answers[status] ?? 0) + 1;
    log.emit({ severityNumber: SeverityNumber.WARN2, body: `${path} answered ${status}` });
  }
  await flush();
  console.log(JSON.stringify(answers));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
