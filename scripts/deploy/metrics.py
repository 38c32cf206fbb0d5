"""Checks that code, docs, rules, tests, dashboard and runbook speak of the same metrics and alerts.

    metrics.py EXPRESSIONS     writes the dashboard's expressions there, as rules for promtool

A metric that is renamed in the code would otherwise leave an alert that never fires again, which
nobody notices until it should have fired.
"""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK_URL = "https://github.com/onhand/onhand/blob/main/docs/runbook.md#"
SEVERITIES = {"critical", "warning", "info"}
ROWS = ["SLO", "Flow", "Dependencies", "Fleet"]

# What Prometheus makes itself.
BUILT_IN = {"up", "ALERTS"}
KEYWORDS = {"and", "or", "unless", "by", "on", "ignoring", "without", "group_left", "group_right"}
KEYWORDS |= {"bool", "offset", "inf", "nan"}

# A row of docs/metrics.md: name, type, unit, labels, meaning.
ROW = re.compile(r"\| `([a-z0-9_]+)`[^|]*\| (\w+) \|(?: [^|]+ \|){3}")

# What autoscalers name: recorded metrics, and RabbitMQ's.
SCALING = re.compile(r"\bonhand:[a-z_]+:\w+|\b(?:rabbitmq_(?:alarms|detailed|disk)|onhand)_[a-z_]+")

errors = []


def error(where, what):
    errors.append(f"{where}: {what}")


def counted_in_code():
    """The names of metrics, which stand as whole strings in the sources."""
    names = {}
    for path in sorted(ROOT.glob("crates/*/src/**/*.rs")):
        if "testkit" not in path.parts:
            text = path.read_text()
            for name in re.findall(r'"((?:onhand|process)_[a-z0-9_]+)"', text):
                # Who reads a histogram names its parts.
                name = re.sub(r"_(seconds|envelopes)_(bucket|sum|count)$", r"_\1", name)
                names.setdefault(name, path.relative_to(ROOT))
    return names


def documented():
    """name → type, and which of them are ours."""
    types, ours, section = {}, set(), ""
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        if match := ROW.match(line):
            name, kind = match.group(1), match.group(2)
            types[name] = kind
            if not section.startswith("RabbitMQ"):
                ours.add(name)
            if kind not in ("counter", "gauge", "histogram"):
                error("docs/metrics.md", f"{name} is of no type that Prometheus knows: {kind}")
            if (kind == "counter") != name.endswith("_total"):
                error("docs/metrics.md", f"{name}: a counter, and only a counter, ends in _total")
    return types, ours


def metrics_in(expression):
    """The names of metrics in a PromQL expression."""
    text = re.sub(r'"(?:\\.|[^"\\])*"', '""', expression)
    text = re.sub(r"\{[^}]*\}", "", text)
    text = re.sub(r"\[[^\]]*\]", "", text)
    text = re.sub(r"\b(by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)", " ", text)
    text = re.sub(r"\boffset\s+\w+", " ", text)
    names = re.findall(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)\b(?!\s*\()", text)
    return {name for name in names if name not in KEYWORDS}


def check_names(where, expression, types, recorded):
    for name in metrics_in(expression):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        of_histogram = base != name and types.get(base) == "histogram"
        if not (name in types or of_histogram or name in recorded or name in BUILT_IN):
            error(where, f"{name} is neither in docs/metrics.md nor recorded by a rule")
        if types.get(name) == "histogram":
            error(where, f"{name} is a histogram: it has _bucket, _sum and _count")


def rules():
    for path in sorted(ROOT.glob("deploy/prometheus/rules/*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield path.relative_to(ROOT), rule


def expected_by_tests():
    """The alerts that some test sees firing."""
    names = set()
    for path in sorted(ROOT.glob("deploy/prometheus/tests/*.yml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for question in test.get("promql_expr_test", []):
                for sample in question.get("exp_samples") or []:
                    names |= set(re.findall(r'alertname="(\w+)"', sample["labels"]))
    return names


def check_alerts():
    alerts = {}
    for path, rule in rules():
        if name := rule.get("alert"):
            if name in alerts:
                error(path, f"{name} is there twice")
            alerts[name] = rule
            if rule.get("labels", {}).get("severity") not in SEVERITIES:
                error(path, f"{name}: severity is none of {sorted(SEVERITIES)}")
            notes = rule.get("annotations", {})
            for note in ("summary", "description"):
                if not notes.get(note):
                    error(path, f"{name} has no {note}")
            if notes.get("runbook_url") != RUNBOOK_URL + name.lower():
                error(path, f"{name}: runbook_url is not {RUNBOOK_URL}{name.lower()}")
    runbook = (ROOT / "docs/runbook.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", runbook, re.M | re.S))
    for name in alerts.keys() - sections.keys():
        error("docs/runbook.md", f"{name} has no section")
    for name in sections.keys() - alerts.keys():
        error("docs/runbook.md", f"{name} is no alert")
    for name, text in sections.items():
        for part in ("**Meaning.**", "**Look at.**", "**Do.**"):
            if part not in text:
                error("docs/runbook.md", f"{name} has no {part}")
    for link in re.findall(r"\]\(#(\w+)\)", runbook):
        if link not in {name.lower() for name in sections}:
            error("docs/runbook.md", f"#{link} leads nowhere")
    for name in alerts.keys() - expected_by_tests():
        error("deploy/prometheus/tests", f"no test sees {name} fire")
    return alerts


def check_dashboard(types, recorded):
    where = "deploy/grafana/onhand.json"
    board = json.loads((ROOT / where).read_text())
    if board.get("uid") != "onhand" or "id" in board:
        error(where, "the uid is not `onhand`, or there is an id, which belongs to one Grafana")
    if [it["name"] for it in board["__inputs"]] != ["DS_PROMETHEUS"]:
        error(where, "the one input is not DS_PROMETHEUS")
    found = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    if found != ROWS:
        error(where, f"its rows are {found} and not {ROWS}")
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) != len(ids):
        error(where, "two panels have the same id")
    expressions = [it["expr"] for it in board["annotations"]["list"]]
    for panel in (it for it in board["panels"] if it["type"] != "row"):
        if not panel.get("title") or not panel.get("description"):
            error(where, f"panel {panel['id']} has no title or no description")
        for target in panel["targets"]:
            if target["datasource"]["uid"] != "${DS_PROMETHEUS}":
                error(where, f"{panel['title']} has a data source of its own")
            expressions.append(target["expr"])
    for expression in expressions:
        check_names(where, expression, types, recorded)
    return expressions


def main(out):
    code, (types, ours) = counted_in_code(), documented()
    for name in code.keys() - ours:
        error(code[name], f"{name} is not in docs/metrics.md")
    for name in ours - code.keys():
        error("docs/metrics.md", f"nothing counts {name}")
    recorded = {rule["record"] for _, rule in rules() if "record" in rule}
    for path, rule in rules():
        check_names(path, rule["expr"], types, recorded)
    alerts = check_alerts()
    expressions = check_dashboard(types, recorded)
    # Autoscalers name metrics, too.
    scaling = 0
    for path in sorted(ROOT.glob("deploy/kubernetes/**/*.yaml")):
        for name in SCALING.findall(path.read_text()):
            scaling += 1
            if ":" in name or name.startswith("rabbitmq_"):
                check_names(path.relative_to(ROOT), name, types, recorded)

    asked = [it.replace("$__rate_interval", "5m") for it in expressions]
    parsed = [{"record": f"dashboard:{n}", "expr": it} for n, it in enumerate(asked)]
    Path(out).write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": parsed}]}))
    for it in errors:
        print(it, file=sys.stderr)
    print(
        f"{len(code)} metrics, {len(recorded)} recorded, {len(alerts)} alerts with tests and "
        f"runbook, {len(expressions)} expressions of the dashboard, {scaling} names in kubernetes"
    )
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
