#!/usr/bin/env bash
# Publishes a practice day of a timing system of its own: `./publish.sh ../practice.json`. Needs kcat and jq.
set -euo pipefail

# CloudEvents in structured mode, one on a line, each behind its key and a tab. The same event has the same id.
jq -rf events.jq "$1" |
  kcat -P -b "$LAPSTREAM_KAFKA_BOOTSTRAP" -t "${LAPSTREAM_TOPIC:-club-days}" -K $'\t' -z gzip -X acks=all \
    -H 'content-type=application/cloudevents+json; charset=utf-8'
