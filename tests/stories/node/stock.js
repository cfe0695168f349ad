// The called side of the Node story: an Express service with a route, a failure and an unknown path.
'use strict';

const { flush } = require('./telemetry');
const { logs, SeverityNumber } = require('@opentelemetry/api-logs');
const express = require('express');

const log = logs.getLogger('stock');
const app = express();

app.get('/items/:id', (request, response) => {
  log.emit({ severityNumber: SeverityNumber.INFO, body: `item ${request.params.id} was read` });
  response.json({ item: request.params.id });
});

app.get('/boom', (_request, response) => {
  log.emit({ severityNumber: SeverityNumber.ERROR, severityText: 'ERROR', body: 'no such shelf' });
  response.status(500).end();
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port }));
});

process.once('SIGTERM', () => {
  server.close(async () => {
    await flush();
    process.exit(0);
  });
  server.closeAllConnections();
});
