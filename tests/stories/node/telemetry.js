// Starts the real SDK before a service's own code, steered by OTEL_* variables as in production.
'use strict';

const { ClientRequest } = require('node:http');

const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { NodeSDK } = require('@opentelemetry/sdk-node');

const peer = process.env.PEER_SERVICE;

// A call knows its peer's host; the name of the service behind it is for the caller to say.
function namePeer(span, request) {
  if (peer && request instanceof ClientRequest) {
    span.setAttribute('service.peer.name', peer);
  }
}

const sdk = new NodeSDK({
  instrumentations: [
    new HttpInstrumentation({ requestHook: namePeer }),
    new ExpressInstrumentation(),
  ],
});
sdk.start();

// Whatever the exporters still hold leaves here; a rejected flush must fail the process loudly.
exports.flush = () => sdk.shutdown();
