// Publishes a practice day of a timing system of its own: `node publish.mjs ../practice.json`.
import { readFileSync } from "node:fs";
import { CompressionTypes, Kafka, Partitioners } from "kafkajs";

const SOURCE = "club-timer"; // the timing service: yours, and no other's
const PUBLISHER = "https://timing.example/decoder-1"; // the program or machine that says so
const TOPIC = process.env.LAPSTREAM_TOPIC ?? "club-days"; // a topic of your own, which may speak for it
const BROKERS = process.env.LAPSTREAM_KAFKA_BOOTSTRAP.split(",");

const practice = JSON.parse(readFileSync(process.argv[2], "utf8"));
const key = `${SOURCE}/${practice.track}/${practice.date}`;
const messages = [
  record("practice_day.listed.v1", key, { complete: true, sessions: practice.sessions.map(session) }),
  ...practice.sessions.map((one) =>
    record("session_detail.fetched.v2", `${key}/${one.id}`, { ...session(one), laps: one.laps.map(lap) }),
  ),
];

// A CloudEvent in binary mode: attributes in the headers, data in the value. The same event has the same id.
function record(type, subject, facts) {
  const data = {
    source: SOURCE,
    track_slug: practice.track,
    date: practice.date,
    observed_at: practice.seen,
    parser_version: 1,
    ...facts,
  };
  const headers = {
    ce_specversion: "1.0",
    ce_id: `${type}/${subject}/${practice.seen}`,
    ce_type: type,
    ce_source: PUBLISHER,
    "content-type": "application/json",
  };
  return { key, headers, value: JSON.stringify(data) };
}

function session({ id, driver, class: name, transponder, start, laps }) {
  return {
    session_id: id,
    driver_name: driver,
    class_name: name,
    transponder_number: transponder,
    start_time: start,
    lap_count: laps.length,
    fastest_lap: laps.length ? Math.min(...laps) : null,
  };
}

function lap(seconds, index) {
  return { lap_number: index + 1, lap_time_raw: String(seconds), lap_time_seconds: seconds };
}

const kafka = new Kafka({ clientId: SOURCE, brokers: BROKERS });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();
await producer.send({ topic: TOPIC, acks: -1, compression: CompressionTypes.GZIP, messages });
await producer.disconnect();
console.log(`${messages.length} events published to ${TOPIC}`);
