# A practice day as a timing system has it goes in; a key, a tab and an event come out, on a line for each event.
def session: {
  session_id: .id,
  driver_name: .driver,
  class_name: .class,
  transponder_number: .transponder,
  start_time: .start,
  lap_count: (.laps | length),
  fastest_lap: (.laps | min)
};
def laps: [.laps | to_entries[] | {
  lap_number: (.key + 1),
  lap_time_raw: (.value | tostring),
  lap_time_seconds: .value
}];
def event($type; $subject; $day; $facts): "\($day.key)\t\({
  specversion: "1.0",
  id: "\($type)/\($subject)/\($day.seen)",
  type: $type,
  source: "https://timing.example/decoder-1",
  datacontenttype: "application/json",
  data: ({
    source: $day.source,
    track_slug: $day.track,
    date: $day.date,
    observed_at: $day.seen,
    parser_version: 1
  } + $facts)
} | tojson)";

(. + { source: "club-timer", key: "club-timer/\(.track)/\(.date)" }) as $day
| event("practice_day.listed.v1"; $day.key; $day; { complete: true, sessions: (.sessions | map(session)) }),
  (.sessions[] | event("session_detail.fetched.v2"; "\($day.key)/\(.id)"; $day; session + { laps: laps }))
