// The copy: what was announced of each day, which records were refused, and how far each partition was read.
// All of it is one file, which is replaced whole: so the copy and its offsets never disagree.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

export function load(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { offsets: {}, days: {}, refused: {} };
}

export function save(file, copy) {
  const written = openSync(`${file}.new`, "w");
  writeSync(written, JSON.stringify(copy, null, 1));
  fsyncSync(written);
  closeSync(written);
  renameSync(`${file}.new`, file);
}

export function apply(copy, { id, type, data }) {
  if (type === "record.refused.v1") {
    copy.refused[`${data.topic}/${data.partition}/${data.offset}`] = data;
  } else if (type === "practice_day.changed.v1" || type === "practice_day.ingested.v1") {
    const key = `${data.source}/${data.track_slug}/${data.date}`;
    const day = (copy.days[key] ??= { sessions: [], laps: 0, run: null, applied: [] });
    if (day.applied.includes(id)) return; // a repeated event: it may come at any later time
    if (type === "practice_day.changed.v1") change(day, data);
    else day.run = data;
    day.applied.push(id);
  } // a type that is not known is ignored
}

function change(day, { sessions_added = [], sessions_gone = [], laps_added = 0, laps_gone = 0 }) {
  const gone = new Set(sessions_gone);
  const kept = day.sessions.filter((session) => !gone.has(session));
  day.sessions = [...new Set([...kept, ...sessions_added])].sort();
  day.laps += laps_added - laps_gone;
}
