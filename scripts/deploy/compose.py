"""Checks docker-compose.yml for what `docker compose config` does not: reads its JSON from stdin."""

import json
import re
import sys
from pathlib import Path

import yaml

import stopping

ROOT = Path(__file__).resolve().parents[2]

# Each of them may be there several times: `--scale worker=4`.
SCALED = ["worker"]
ENDS_BY_ITSELF = {"migrate"}

errors = []


def scraped():
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = {it["job_name"] for it in config["scrape_configs"]}
    return {it.removeprefix("onhand-") for it in jobs}


def grace(service):
    """How long Docker waits before it kills: written like 1m15s."""
    parts = re.findall(r"(\d+)(h|m|s)", service.get("stop_grace_period", "10s"))
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def main():
    services = json.load(sys.stdin)["services"]
    image_has_one = "\nHEALTHCHECK " in (ROOT / "deploy/Dockerfile").read_text()
    for name in SCALED:
        for what in ("ports", "container_name", "hostname"):
            if what in services[name]:
                errors.append(f"{name} has {what}, which only one of several can have")
    for name, service in services.items():
        own = service.get("healthcheck", {})
        inherits = service["image"] == "onhand" and image_has_one and not own.get("disable")
        if not (own.get("test") or inherits or name in ENDS_BY_ITSELF):
            errors.append(f"{name} has no health check")
        for port in service.get("ports", []):
            if port.get("host_ip") != "127.0.0.1":
                errors.append(f"{name} is open to more than this machine")
        if service["image"] == "onhand" and name not in ENDS_BY_ITSELF | scraped():
            errors.append(f"{name} is not scraped by deploy/prometheus, so its alerts cannot fire")
        if service["image"] == "onhand":
            role, *args = service["command"]
            needed = stopping.needed(role, service["environment"], args)
            if grace(service) < needed:
                errors.append(f"{name} is killed before its {needed} s for stopping are over")
        if service.get("profiles", []) not in ([], ["observability"]):
            errors.append(f"{name} is in a profile that nobody knows")
    for it in errors:
        print(it, file=sys.stderr)
    print(f"{len(services)} services with health checks; {', '.join(SCALED)} can be scaled")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
