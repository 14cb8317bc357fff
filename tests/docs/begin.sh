# Told to the shell of every page: `begin` is what a page means by "the roles are at work, and import from the sample site".

begin() {
  eval "$(lapstream dev up 2>/dev/null)"
  export LAPSTREAM_SITE='http://127.0.0.1:8090/{track_slug}' LAPSTREAM_SITE_INTERVAL_SECONDS=0
  lapstream sample-site --port 8090 >site.log 2>&1 &
  ${ROLES:-lapstream} run all >roles.log 2>&1 &
  answers http://127.0.0.1:8090/_control/statistics && answers http://127.0.0.1:8080/readyz
}

answers() {
  for _ in $(seq 300); do
    curl -sf "$1" >/dev/null && return
    sleep 0.1
  done
  return 1
}

# Records that are parked: without a value, with a field that stands twice, of a version that nobody knows.
bad_records() {
  local topic=${1:-practice-days} source=${2:-liverc}
  sed "s/SOURCE/$source/" <<'END' | python -m tests.docs.produce "$topic" "$source/sample-track/2025-11-02"
{"id": "our-own-id-1", "type": "session_detail.fetched.v2", "value": null}
{"id": "our-own-id-2", "type": "session_detail.fetched.v2", "value": "{\"source\":\"SOURCE\",\"track_slug\":\"sample-track\",\"date\":\"2025-11-02\",\"session_id\":\"77\",\"observed_at\":\"2025-11-02T18:00:00+11:00\",\"parser_version\":1,\"driver_name\":\"Abel Thornwick\",\"lap_count\":2,\"lap_count\":3}"}
{"id": "our-own-id-3", "type": "session_detail.fetched.v9", "value": "{}"}
END
  until_sql "SELECT count(*) = 6 FROM lapstream.parked_records"
}

# Waits until a statement says so.
until_sql() {
  for _ in $(seq 300); do
    [ "$(psql "$LAPSTREAM_POSTGRES_DSN" -Atc "$1")" = t ] && return
    sleep 0.1
  done
  return 1
}

# Deletes a partition's records before an offset.
lose() {
  python -c '
import asyncio, sys
from runtime.settings import read_settings
from tests.topics import lose
topic, partition, offset = sys.argv[1:]
asyncio.run(lose(read_settings(), int(offset), topic=topic, partition=int(partition)))
' "$@"
}

# Kafka's own command, under the name of its script.
kafka-consumer-groups.sh() {
  python -c '
import os, sys
from sandbox.embedded import java
from tests.kafka_tools import class_path
quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
command = [quiet, "-cp", class_path(), "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"]
os.execv(java.find_java(), ["java", *command, *sys.argv[1:]])
' "$@"
}
