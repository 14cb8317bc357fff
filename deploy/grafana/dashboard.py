"""Writes the dashboard `lapstream.json` beside it: `python deploy/grafana/dashboard.py`.

Figures of the fleet are the same in every process, and are taken as the maximum over processes; what a
process counts itself is summed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("lapstream.json")
SCHEMA_VERSION = 39
"""That of Grafana 11; newer ones migrate it when it is imported."""

WIDTH = 24
"""Columns of Grafana's grid."""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATE = "[$__rate_interval]"
PROCESSES = 'job="lapstream"'
GROUP = 'group=~"$group"'


class Panel(NamedTuple):
    """A panel: each expression stands under the legend of its series."""

    title: str
    says: str
    unit: str
    expressions: dict[str, str]
    kind: str = "timeseries"
    width: int = 8
    height: int = 7


def stat(title: str, says: str, unit: str, expression: str) -> Panel:
    """One figure."""
    return Panel(title, says, unit, {title: expression}, kind="stat", width=4, height=4)


def table(title: str, says: str, expression: str, width: int = 8) -> Panel:
    """The labels of the series that there are now."""
    return Panel(title, says, "none", {title: expression}, kind="table", width=width)


def quantiles(metric: str) -> dict[str, str]:
    """The median and the longest of a histogram, nearly."""
    return {
        f"p{part}": f"histogram_quantile(0.{part}, sum by (le) (rate({metric}_bucket{RATE})))"
        for part in ("50", "95")
    }


def counted(by: str, metric: str, selected: str = "") -> str:
    """What processes count, a second."""
    return f"sum by ({by}) (rate({metric}{selected}{RATE}))"


ROWS: dict[str, list[Panel]] = {
    "Overview": [
        stat(
            "Processes",
            "Processes that answer, and are not stuck.",
            "none",
            f"sum(lapstream_live{{{PROCESSES}}})",
        ),
        stat(
            "Groups that are not well",
            "Consumer groups whose verdict is neither ok nor lagging.",
            "none",
            'count(max by (group) (lapstream_group_verdict{verdict!~"ok|lagging"}) == 1) or vector(0)',
        ),
        stat(
            "Tables behind",
            "The age of the oldest record that a projection has not applied.",
            "s",
            'max(kafka_consumergroup_group_max_lag_seconds{group=~".*-projection"}) or vector(0)',
        ),
        stat(
            "Outbox behind",
            "The age of the oldest row that waits to be published.",
            "s",
            "max(lapstream_outbox_oldest_age_seconds >= 0)",
        ),
        stat(
            "Parked records",
            "Records that could not be applied, and are neither mended nor discarded yet.",
            "none",
            "sum(max by (group) (lapstream_parked_waiting))",
        ),
        stat("Imports at work", "Runs that have not ended.", "none", "max(lapstream_runs_open)"),
        table(
            "Alerts",
            "Alerts of Lapstream's that fire, or are about to. docs/runbooks.md says what to do.",
            'max by (alertname, alertstate, severity, group) (ALERTS{alertname=~"Lapstream.*"})',
            width=16,
        ),
        table(
            "Versions",
            "The versions that processes run; two while an upgrade is under way.",
            f"count by (version) (lapstream_build_info{{{PROCESSES}}})",
        ),
    ],
    "Lag": [
        table(
            "Verdicts",
            "What was found of each group over the last minutes.",
            f"max by (group, verdict) (lapstream_group_verdict{{{GROUP}}}) == 1",
        ),
        Panel(
            "Records behind",
            "From the first record that is not applied to the end of the topic.",
            "short",
            {
                "{{group}}": "sum by (group) "
                f"(max by (group, topic, partition) (kafka_consumergroup_group_lag{{{GROUP}}}))"
            },
        ),
        Panel(
            "Time behind",
            "The age of the oldest record that is not applied.",
            "s",
            {"{{group}}": f"max by (group) (kafka_consumergroup_group_max_lag_seconds{{{GROUP}}})"},
        ),
        Panel(
            "Records in and out",
            "Records a second that come to the end of a group's topics, and that the group applies.",
            "cps",
            {
                "{{group}} in": f"max by (group) (lapstream_group_records_in_rate{{{GROUP}}})",
                "{{group}} out": f"max by (group) (lapstream_group_records_out_rate{{{GROUP}}})",
            },
        ),
        Panel(
            "Time to catch up",
            "How long a group needs for what waits, at its present rates; infinite for never.",
            "s",
            {"{{group}}": f"max by (group) (lapstream_group_catch_up_seconds{{{GROUP}}})"},
        ),
        Panel(
            "Freshness",
            "How old the newest record is that the tables hold.",
            "s",
            {"{{group}}": f"max by (group) (lapstream_group_freshness_seconds{{{GROUP}}})"},
        ),
        Panel(
            "Members",
            "Members of each consumer group.",
            "none",
            {
                "{{consumergroup}}": "max by (consumergroup) "
                '(kafka_consumergroup_members{consumergroup=~"$group"})'
            },
        ),
        Panel(
            "Retention used",
            "The age of the oldest record that waits, as a part of the time that its topic keeps it.",
            "percentunit",
            {"{{group}}, {{topic}}": f"max by (group, topic) (lapstream_retention_used_ratio{{{GROUP}}})"},
        ),
        Panel(
            "Age of these figures",
            "How old the newest look at the fleet is, by kind.",
            "s",
            {"{{kind}}": "min by (kind) (lapstream_fleet_look_age_seconds)"},
        ),
    ],
    "Producer and site": [
        Panel(
            "Requests to the site",
            "By status; unreachable without an answer.",
            "reqps",
            {"{{status}}": counted("status", "lapstream_site_requests_total")},
        ),
        Panel(
            "Wait for the site's pace",
            "How long a request waited for its turn.",
            "s",
            quantiles("lapstream_site_pace_wait_seconds"),
        ),
        Panel(
            "Site",
            "How long Lapstream backs off from the site still, and whether fetching is paused (1).",
            "s",
            {
                "backing off": "max(lapstream_site_backing_off_seconds)",
                "paused": "max(lapstream_site_paused)",
            },
        ),
        Panel(
            "Pages",
            "Pages by what came of them.",
            "cps",
            {"{{outcome}}": counted("outcome", "lapstream_pages_total")},
        ),
        Panel(
            "Findings",
            "What the parsers noticed on pages; a rise says that the site's pages have changed.",
            "cps",
            {"{{code}}": counted("code", "lapstream_findings_total") + " > 0"},
        ),
    ],
    "Projections": [
        Panel(
            "Records applied",
            "Records a second that were written into tables.",
            "cps",
            {"{{group}}": counted("group", "lapstream_records_applied_total", f"{{{GROUP}}}")},
        ),
        Panel(
            "Records parked",
            "Records that could not be applied, and are neither mended nor discarded yet.",
            "none",
            {"{{group}}": f"max by (group) (lapstream_parked_waiting{{{GROUP}}})"},
        ),
        Panel(
            "Records ignored",
            "Other vendors' records, a second.",
            "cps",
            {"{{group}}": counted("group", "lapstream_records_ignored_total", f"{{{GROUP}}}")},
        ),
        Panel(
            "Database",
            "Bytes of the whole database, and of the largest tables.",
            "bytes",
            {
                "all": "max(lapstream_database_bytes)",
                "{{table}}": "topk(10, max by (table) (lapstream_table_bytes))",
            },
        ),
        Panel(
            "Memory",
            "Memory of each process.",
            "bytes",
            {"{{instance}}": f"process_resident_memory_bytes{{{PROCESSES}}}"},
        ),
        Panel(
            "CPU",
            "Cores that each process keeps busy.",
            "none",
            {"{{instance}}": f"rate(process_cpu_seconds_total{{{PROCESSES}}}{RATE})"},
        ),
    ],
    "Outbox": [
        Panel(
            "Rows that wait",
            "Rows of the outbox that are not published yet.",
            "short",
            {"rows": "max(lapstream_outbox_backlog_rows >= 0)"},
        ),
        Panel(
            "Age of the oldest",
            "How long the oldest of them has waited.",
            "s",
            {"age": "max(lapstream_outbox_oldest_age_seconds >= 0)"},
        ),
        Panel(
            "Published",
            "Rows a second that the broker acknowledged.",
            "cps",
            {"rows": f"sum(rate(lapstream_outbox_published_total{RATE}))"},
        ),
    ],
    "Runs": [
        Panel(
            "Runs that ended",
            "Imports that ended within an hour, by outcome.",
            "none",
            {"{{outcome}}": "sum by (outcome) (increase(lapstream_ingest_runs_total[1h]))"},
        ),
        Panel(
            "How long they took",
            "From a run's request to the end of its first attempt.",
            "s",
            quantiles("lapstream_ingest_run_duration_seconds"),
        ),
        Panel(
            "Runs at work",
            "Runs that have not ended.",
            "none",
            {"open": "max(lapstream_runs_open)"},
        ),
        Panel(
            "Followed days",
            "Days of tracks that are followed now, and for how long the one that waits longest has been due.",
            "none",
            {
                "days": "max(lapstream_followed_days)",
                "late, in s": "max(lapstream_followed_days_late_seconds)",
            },
        ),
        Panel(
            "Sessions",
            "Sessions of runs that ended within an hour, and those whose page failed to be fetched.",
            "none",
            {
                "stored": "sum(increase(lapstream_ingest_sessions_total[1h]))",
                "with laps": "sum(increase(lapstream_ingest_sessions_with_laps_total[1h]))",
                "failed": "sum(increase(lapstream_ingest_sessions_detail_failed_total[1h]))",
            },
        ),
        Panel(
            "Laps",
            "Laps of runs that ended within an hour.",
            "none",
            {"laps": "sum(increase(lapstream_ingest_laps_total[1h]))"},
        ),
    ],
    "Rebuilds": [
        Panel(
            "Rebuilds by state",
            "How many rebuilds are in each state.",
            "none",
            {"{{state}}": "max by (state) (lapstream_rebuilds)"},
        ),
        Panel(
            "Progress",
            "Records that a rebuild has applied, as a part of those that it has to.",
            "percentunit",
            {"{{projection}}": "max by (projection) (lapstream_rebuild_progress_ratio)"},
        ),
        Panel(
            "Since its last progress",
            "How long ago a rebuild last got on.",
            "s",
            {"{{projection}}": "max by (projection) (lapstream_rebuild_idle_seconds)"},
        ),
    ],
}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "uid": "lapstream",
        "title": "Lapstream",
        "description": "How far the tables are behind, what is imported, and what is not well.",
        "tags": ["lapstream"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "templating": {"list": [_data_source(), _groups()]},
        "annotations": {"list": []},
        "panels": list(_placed()),
    }


def _data_source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
    }


def _groups() -> dict[str, Any]:
    query = "label_values(lapstream_group_verdict, group)"
    return {
        "name": "group",
        "label": "Group",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "group"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


def _placed() -> Iterator[dict[str, Any]]:
    """Rows with their panels, from left to right and from top to bottom, each with an id of its own."""
    number = top = 0
    for title, panels in ROWS.items():
        number += 1
        yield _row(number, title, top)
        top += 1
        left = height = 0
        for panel in panels:
            if left + panel.width > WIDTH:
                left, top = 0, top + height
            number += 1
            yield _panel(number, panel, left, top)
            left, height = left + panel.width, panel.height
        top += height


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
        "panels": [],
    }


def _panel(number: int, panel: Panel, left: int, top: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": panel.height},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            _target(letter, panel, legend, expression)
            for letter, (legend, expression) in zip("ABCDEF", panel.expressions.items(), strict=False)
        ],
        **_look(panel.kind),
    }


def _target(letter: str, panel: Panel, legend: str, expression: str) -> dict[str, Any]:
    now = panel.kind == "table"
    return {
        "refId": letter,
        "datasource": SOURCE,
        "expr": expression,
        "legendFormat": legend,
        "instant": now,
        "range": not now,
        "format": "table" if now else "time_series",
    }


def _look(kind: str) -> dict[str, Any]:
    """What a kind of panel has besides."""
    if kind == "stat":
        return {"options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "none"}}
    if kind == "table":
        hidden = {"excludeByName": {"Time": True, "Value": True}}
        return {"options": {}, "transformations": [{"id": "organize", "options": hidden}]}
    return {"options": {"legend": {"showLegend": True, "placement": "bottom"}, "tooltip": {"mode": "multi"}}}


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
