// Keeps a copy of what Lapstream announces: `node read.mjs copy.json [--once]`; --once ends where the topics end now.
import { Kafka, logLevel } from "kafkajs";
import { apply, load, save } from "./copy.mjs";

const TOPICS = (process.env.LAPSTREAM_TOPICS ?? "practice-day-outcomes,refused-records").split(",");
const BROKERS = process.env.LAPSTREAM_KAFKA_BOOTSTRAP.split(",");
const [file, once] = process.argv.slice(2);

const copy = load(file);
const kafka = new Kafka({ clientId: "outcomes-copy", brokers: BROKERS, logLevel: logLevel.WARN });
const consumer = kafka.consumer({ groupId: process.env.LAPSTREAM_GROUP ?? "outcomes-copy" });
const ends = once ? await ends_of(TOPICS) : null;

// The copy says where to go on, not the group: no offset is ever committed to Kafka.
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
    for (const partition of partitions) {
      const offset = copy.offsets[`${topic}/${partition}`];
      if (offset !== undefined) consumer.seek({ topic, partition, offset });
    }
  }
});
const done = new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error));
  if (finished()) resolve();
  else start(resolve).catch(reject);
});

async function start(resolve) {
  await consumer.connect();
  await consumer.subscribe({ topics: TOPICS, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const place = `${batch.topic}/${batch.partition}`;
      const next = BigInt(copy.offsets[place] ?? 0);
      for (const message of batch.messages) {
        if (BigInt(message.offset) >= next) apply(copy, event_of(message));
      }
      copy.offsets[place] = String(BigInt(batch.lastOffset()) + 1n);
      save(file, copy);
      if (finished()) resolve();
    },
  });
}

// Lapstream announces in binary mode: the attributes are headers, the value is the data.
function event_of({ headers, value }) {
  return { id: String(headers.ce_id), type: String(headers.ce_type), data: JSON.parse(value) };
}

function finished() {
  const reached = ([place, end]) => BigInt(copy.offsets[place] ?? 0) >= BigInt(end);
  return ends !== null && Object.entries(ends).every(reached);
}

async function ends_of(topics) {
  const admin = kafka.admin();
  await admin.connect();
  const found = {};
  for (const topic of topics) {
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) found[`${topic}/${partition}`] = high;
  }
  await admin.disconnect();
  return found;
}

try {
  await done;
  console.log(`${Object.keys(copy.days).length} days, ${Object.keys(copy.refused).length} refused records`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  await consumer.disconnect();
}
