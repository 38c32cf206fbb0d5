"""Steps through a Black Friday as the autoscalers of deploy/kubernetes would see it: a simulation.

    day.py [--json]

Thresholds, bounds, policies and windows are the manifests'; the load and what a fleet can do are
the constants below. Nothing is measured and nothing is random: the same files make the same day.
"""

import json
import math
import re
import sys
from collections import deque
from pathlib import Path

import kustomize

OVERLAYS = Path(__file__).resolve().parents[2] / "deploy/kubernetes/overlays"
KINDS = {"hpa": "HorizontalPodAutoscaler", "keda": "ScaledObject"}
STEP = 15  # seconds; how often Kubernetes' autoscaler looks, unless it is told otherwise
TOLERANCE = 0.1  # within which it leaves things as they are
HOUR = 3600

# ---- the load -----------------------------------------------------------------------------------

# From which hour on how many webhooks/s come, but for the flash sale. All of Shopify has 700
# orders/s in its best minute (docs/scaling.md): two workers would not notice a smaller sale.
LOAD = {0: 60, 7: 400, 9: 1_200, 20: 400, 22: 60}
FLASH, FLASH_HOURS = 10_000, (18, 19)  # eight times what comes before, in one step
MISSING_HOURS = (19, 19.25)  # the lag cannot be read, just when workers could go

# ---- what a fleet can do ------------------------------------------------------------------------

WORKER = 5_800  # webhooks/s of one worker on the slowest machine (docs/performance.md, Speed)
DATABASE = 11_000  # webhooks/s of one pool of stock, one batch after the other (docs/scaling.md)
PARCEL = 64  # webhooks in a full parcel (docs/scaling.md)
# Seconds; a parcel fills while one confirm is awaited: ack p50 in docs/performance.md. As if there
# were one ingress: with more there are more parcels, which ask for workers earlier.
FILL = 0.007
LATE = 10  # seconds; what onhand:apply_lag_over_10s counts
WINDOW = 300  # seconds; rate5m
START = 20  # seconds from being asked for to taking parcels; assumed
SCRAPE, EVALUATE = 15, 30  # deploy/prometheus: scrape_interval, interval of the worker's rules
ADAPTER = 30  # prometheus-adapter with the evaluation of what it serves; assumed
MANAGEMENT = 15  # RabbitMQ's HTTP API counts every 5 s; rounded up to a step

# ---- what must hold -----------------------------------------------------------------------------

WAIT_MAX = 60  # seconds; what is later counts for OnhandApplyLagLong (deploy/prometheus/rules)
CHANGES_MAX = 8  # in an hour of even load: from 2 to 6 and back one by one, once


class Scaler:
    def __init__(self, name):
        (spec,) = [
            it["spec"] for it in kustomize.render(OVERLAYS / name)
            if it["kind"] == KINDS[name] and it["spec"]["scaleTargetRef"]["name"] == "onhand-worker"
        ]
        self.name, self.fallback = name, {"behavior": "currentReplicasIfHigher", "replicas": 0}
        if name == "hpa":
            self.min, self.max = spec["minReplicas"], spec["maxReplicas"]
            self.behavior = spec["behavior"]
            external = [it["external"] for it in spec["metrics"]]
            asked = {it["metric"]["name"]: it["target"] for it in external}
            backlog, throughput, lag = (
                quantity(asked[it].get("averageValue") or asked[it]["value"])
                for it in ("onhand_queue_parcels_backlog", "onhand_webhooks_decided_per_second",
                           "onhand_apply_lag_over_10s")
            )
            self.delays = SCRAPE + ADAPTER, SCRAPE + ADAPTER
        else:
            self.min, self.max = spec["minReplicaCount"], spec["maxReplicaCount"]
            self.behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
            self.fallback = spec["fallback"]
            asked = {it["name"]: it["metadata"] for it in spec["triggers"]}
            backlog, throughput, lag = (
                quantity(asked[it].get("value") or asked[it]["threshold"])
                for it in ("backlog", "throughput", "lag")
            )
            self.delays = MANAGEMENT, SCRAPE + EVALUATE
        self.targets = backlog, throughput, lag
        fields = set().union(*self.behavior.values()) - {"stabilizationWindowSeconds", "policies"}
        fields |= {self.fallback["behavior"]} - {"static", "currentReplicasIfHigher"}
        if len(asked) != len(self.targets) or fields:
            sys.exit(f"{name}: this simulation does not know all of {sorted({*asked, *fields})}")

    def wanted(self, workers, ready, backlog, throughput, lag):
        """What the metrics ask for, before any bound. A lag of None cannot be read."""
        def ask(ratio, pods):
            return workers if abs(ratio - 1) <= TOLERANCE else math.ceil(round(ratio * pods, 6))

        of_backlog, of_throughput, of_lag = self.targets
        wanted = max(ask(backlog / of_backlog / workers, workers),
                     ask(throughput / of_throughput / workers, workers))
        if lag is not None:
            return max(wanted, ask(lag / of_lag, ready))
        # KEDA answers for a trigger that does not; without an answer Kubernetes takes nothing away.
        keep = 0 if self.fallback["behavior"] == "static" else workers
        return max(wanted, keep, self.fallback["replicas"])

    def decide(self, time, workers, wanted, changes):
        """`wanted` lists (time, workers), the latest last; `changes` lists (time, by how many)."""
        def stable(rules, choose):
            since = time - rules["stabilizationWindowSeconds"]
            latest = wanted[-HOUR // STEP :]  # no window is longer
            return choose(it for when, it in latest if when > since or when == time)

        def limits(rules, sign):
            for it in rules["policies"]:
                since = time - it["periodSeconds"]
                before = workers - sum(by for when, by in changes if when > since)
                step = it["value"] if it["type"] == "Pods" else before * it["value"] / 100
                yield before + sign * step

        up, down = self.behavior["scaleUp"], self.behavior["scaleDown"]
        target = workers
        if (least := stable(up, min)) > workers:
            target = max(workers, min(least, math.ceil(max(limits(up, 1)))))
        elif (most := stable(down, max)) < workers:
            target = min(workers, max(most, math.floor(min(limits(down, -1)))))
        return min(max(target, self.min), self.max)


def quantity(text):
    number, milli = re.fullmatch(r"([\d.]+)(m?)", text).groups()
    return float(number) / (1000 if milli else 1)


def load(time):
    if FLASH_HOURS[0] <= time / HOUR < FLASH_HOURS[1]:
        return FLASH
    return [rate for since, rate in LOAD.items() if since <= time / HOUR][-1]


def capacity(workers):
    """Each has its part of what the others leave of the database: they add less than one each."""
    return DATABASE * (1 - (1 - WORKER / DATABASE) ** workers)


def share_late(before, after):
    """Of what was applied in a step, while the wait went evenly from one to the other."""
    low, high = sorted((before, after))
    return float(low > LATE) if low == high else min(max((high - LATE) / (high - low), 0), 1)


def simulate(scaler):
    queue, steps = deque(), []  # [when they came, how many are left, of how many, per parcel]
    workers, wait, wanted, changes, starting = scaler.min, 0, [], [], []
    for time in range(0, 24 * HOUR, STEP):
        came = load(time) * STEP
        queue.append([time, came, came, min(max(load(time) * FILL, 1), PARCEL)])
        starting = [it for it in starting if it + START > time]
        ready = workers - len(starting)
        left = capacity(ready) * STEP
        while queue and left > 0:
            applied = min(left, queue[0][1])
            left, queue[0][1] = left - applied, queue[0][1] - applied
            if not queue[0][1]:
                queue.popleft()
        before, wait = wait, 0
        if queue:
            since, rest, of, _ = queue[0]  # what comes in a step comes evenly in it
            wait = time + STEP - (since + STEP * (1 - rest / of))
        applied = capacity(ready) * STEP - left
        now = {
            "time": time, "rate": load(time), "webhooks": sum(it[1] for it in queue),
            "parcels": sum(it[1] / it[3] for it in queue), "wait": wait, "applied": applied,
            "late": applied * share_late(before, wait), "workers": workers, "ready": ready,
            "readable": not MISSING_HOURS[0] <= time / HOUR < MISSING_HOURS[1],
        }
        steps.append(now)
        seen, recorded = (max(len(steps) - it // STEP, 1) for it in scaler.delays)
        window = steps[max(recorded - WINDOW // STEP, 0) : recorded]
        decided = sum(it["applied"] for it in window)
        lag = sum(it["late"] for it in window) / (decided or 1) if now["readable"] else None
        wanted.append((time, scaler.wanted(
            workers, ready, steps[seen - 1]["parcels"], decided / (len(window) * STEP), lag)))
        now["wanted"] = wanted[-1][1]
        now["by"] = scaler.decide(time, workers, wanted, changes) - workers
        if now["by"]:
            changes.append((time, now["by"]))
            # Who has not started yet goes first.
            starting = starting[: now["by"]] if now["by"] < 0 else starting + [time] * now["by"]
        workers += now["by"]
    return steps


def broken(scaler, steps):
    """What does not hold: (what, when and how much) for each time."""
    even, quiet, changes = 0, 0, []  # since when the load is even, and since when it is small
    for number, it in enumerate(steps):
        hour = f"{scaler.name}, {it['time'] // HOUR}:{it['time'] % HOUR // 60:02}"
        earlier = steps[max(number - 4, 0)]
        grows = it["webhooks"] > earlier["webhooks"]
        if it["rate"] != steps[number - 1]["rate"]:
            even = it["time"]
        if it["rate"] > capacity(scaler.min) / 2:
            quiet = it["time"] + STEP
        if it["wait"] > WAIT_MAX:
            yield "wait", f"{hour}: a webhook waits {it['wait']:.0f} s, more than {WAIT_MAX}"
        if grows and it["ready"] == earlier["ready"] >= scaler.max:
            yield "max", f"{hour}: the queue grows with all {scaler.max} workers: more are needed"
        if it["by"]:
            since = max(even, it["time"] - HOUR)
            changes = [it["time"]] + [when for when in changes if when > since]
            if len(changes) > CHANGES_MAX:
                times = f"{len(changes)} times in an hour of even load"
                yield "flapping", f"{hour}: replicas changed {times}"
        if it["by"] < 0 and grows:
            yield "growing", f"{hour}: a worker is taken away while the queue grows"
        if it["by"] < 0 and not it["readable"]:
            yield "missing", f"{hour}: a worker is taken away while a metric is missing"
        if it["time"] - quiet >= HOUR and it["workers"] > scaler.min:
            after = f"after an hour in which {scaler.min} would do"
            yield "quiet", f"{hour}: {it['workers']} workers {after}"


def hours(steps):
    for hour in range(24):
        those = [it for it in steps if it["time"] // HOUR == hour]
        fields = "rate", "webhooks", "wait", "wanted", "workers"
        most = {it: max(step[it] for step in those) for it in fields}
        yield {"hour": hour, **most, "workers_least": min(it["workers"] for it in those),
               "changes": sum(1 for it in those if it["by"])}


def main(as_json):
    days, errors, said = {}, [], []
    for name in KINDS:
        scaler = Scaler(name)
        steps = simulate(scaler)
        days[name] = list(hours(steps))
        first = {}
        for what, line in broken(scaler, steps):
            first.setdefault(what, line)
        errors += first.values()
        said.append(f"{name}: at most {max(it['wait'] for it in steps):.0f} s and "
                    f"{max(it['workers'] for it in steps)} workers")
    if as_json:
        print(json.dumps({"days": days, "broken": errors}, indent=1))
    else:
        for name, day in days.items():
            print(f"{name}\nhour  webhooks/s  backlog, most  oldest wait, s  asked for  workers")
            for it in day:
                workers = f"{it['workers_least']}–{it['workers']}"
                print(f"{it['hour']:4}  {it['rate']:10,}  {it['webhooks']:13,.0f}"
                      f"  {it['wait']:14.1f}  {it['wanted']:9}  {workers:>7}")
        print("\n".join(errors) or "a simulated Black Friday; " + ", ".join(said))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--json"]))
