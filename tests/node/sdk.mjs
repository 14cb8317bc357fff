// The JavaScript SDK's Kafka binding: `write` turns events into records, `read` turns records into events.
// In and out: JSON Lines. An event is in CloudEvents' JSON format, a record is {name, key, headers, value}.
import { createInterface } from "node:readline";
import { CloudEvent, Kafka } from "cloudevents";

const MORE = { subject: "a subject", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", lane: 3, wet: false };

function* written(line) {
  const event = JSON.parse(line);
  const data = Buffer.from(JSON.stringify(event.data));
  const charset = { ...event, ...MORE, datacontenttype: "application/json; charset=utf-8", partitionkey: "a-key" };
  yield record(`${event.type} binary`, Kafka.binary(new CloudEvent(event)));
  yield record(`${event.type} binary, more attributes`, Kafka.binary(new CloudEvent(charset)));
  yield record(`${event.type} structured`, Kafka.structured(new CloudEvent(charset)));
  yield record(`${event.type} structured, base64`, Kafka.structured(new CloudEvent({ ...event, data: Uint8Array.from(data) })));
}

// What every program has to do between the SDK and a client: texts for headers and value, nothing undefined.
function record(name, message) {
  const headers = Object.entries(message.headers).filter(([, value]) => value !== undefined);
  return {
    name,
    key: message.key ?? null,
    headers: headers.map(([header, value]) => [header, String(value)]),
    value: typeof message.value === "string" ? message.value : JSON.stringify(message.value),
  };
}

function* read(line) {
  const { name, key, headers, value } = JSON.parse(line);
  const { id, type, source, time, data, correlationid } = Kafka.toEvent({ key, headers: Object.fromEntries(headers), value });
  yield { name, id, type, source, time, data, correlationid };
}

const work = { write: written, read }[process.argv[2]];
for await (const line of createInterface({ input: process.stdin })) {
  for (const one of work(line)) console.log(JSON.stringify(one));
}
