// A collector of OTLP over HTTP that is not ours. Prints where it listens; to each line of stdin it answers with one line of JSON: everything that came
// so far. Ends with stdin.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import root from '@opentelemetry/otlp-transformer/build/src/generated/root.js';

const { trace, metrics, logs } = root.opentelemetry.proto.collector;
const got = { spans: [], points: [], logs: [], resources: [] };

const plain = value => value && Object.values(value.toJSON ? value.toJSON() : value)[0];
const attributes = list => Object.fromEntries((list ?? []).map(({ key, value }) => [key, plain(value)]));
const kinds = {
  '/v1/traces': body => trace.v1.ExportTraceServiceRequest.decode(body).resourceSpans.forEach(({ resource, scopeSpans }) => {
    got.resources.push(attributes(resource.attributes));
    for (const { scope, spans } of scopeSpans) for (const span of spans)
      got.spans.push({ scope: scope.name, name: span.name, traceId: Buffer.from(span.traceId).toString('hex'), attributes: attributes(span.attributes) });
  }),
  '/v1/metrics': body => metrics.v1.ExportMetricsServiceRequest.decode(body).resourceMetrics.forEach(({ scopeMetrics }) => {
    for (const { scope, metrics: all } of scopeMetrics) for (const metric of all)
      for (const point of (metric.sum ?? metric.gauge ?? metric.histogram).dataPoints)
        got.points.push({ scope: scope.name, name: metric.name, unit: metric.unit, value: Number(point.asInt ?? point.asDouble ?? point.count), attributes: attributes(point.attributes) });
  }),
  '/v1/logs': body => logs.v1.ExportLogsServiceRequest.decode(body).resourceLogs.forEach(({ scopeLogs }) => {
    for (const { scope, logRecords } of scopeLogs) for (const record of logRecords)
      got.logs.push({ scope: scope.name, body: plain(record.body), traceId: Buffer.from(record.traceId ?? '').toString('hex'), attributes: attributes(record.attributes) });
  }),
};

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  kinds[request.url](Buffer.concat(parts));
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ address: `http://127.0.0.1:${server.address().port}` })));
for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(got));
process.exit(0);
