"""Checks deploy/kubernetes: against Kubernetes' schemas, and for what no schema says.

    kubernetes.py [KUSTOMIZE COMMAND…]    compares with the real one, as in `kubectl kustomize`
"""

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml

import kustomize
import stopping

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/kubernetes"
FIELDS = yaml.safe_load((Path(__file__).parent / "crd-fields.yaml").read_text())

# The oldest release that is still looked after, and the newest whose schemas are at hand.
VERSIONS = ["1.34", kubernetes_validate.latest_version()]

NOT_KUBERNETES = {"prometheus-adapter.yaml"}  # values for a Helm chart

# What RabbitMQ's cluster operator calls the port that it shows metrics on.
BROKER_METRICS_PORT = "prometheus"
# In which family of /metrics/detailed RabbitMQ tells what (its rabbitmq_prometheus plugin).
FAMILIES = {
    "rabbitmq_detailed_queue_consumers": "queue_consumer_count",
    "rabbitmq_detailed_queue_messages": "queue_coarse_metrics",
    "rabbitmq_detailed_queue_messages_ready": "queue_coarse_metrics",
    "rabbitmq_detailed_queue_messages_unacked": "queue_coarse_metrics",
}

errors = []


def error(where, what):
    errors.append(f"{where}: {what}")


# ---- schemas ------------------------------------------------------------------------------------


def name_of(resource):
    return f"{resource.get('kind')}/{resource.get('metadata', {}).get('name')}"


def check_schema(where, resource):
    crd = f"{resource['apiVersion']}/{resource['kind']}"
    if crd in FIELDS:
        check_fields(f"{where}: {name_of(resource)}: spec", resource["spec"], FIELDS[crd])
        if extra := resource.keys() - {"apiVersion", "kind", "metadata", "spec"}:
            error(where, f"{name_of(resource)} has no {sorted(extra)}")
        if resource["kind"] == "ScaledObject":
            behavior = resource["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
            check_schema(where, autoscaler_with(behavior))
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.ValidationError as invalid:
            path = ".".join(str(it) for it in invalid.path)
            error(where, f"{name_of(resource)}: {path}: {invalid.message} (Kubernetes {version})")
        except kubernetes_validate.SchemaNotFoundError:
            error(where, f"{crd} is neither Kubernetes' own nor in crd-fields.yaml")


def autoscaler_with(behavior):
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "it"}, "maxReplicas": 2}
    spec["behavior"] = behavior
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "of-keda"},
        "spec": spec,
    }


def check_fields(where, value, fields):
    if fields == "any":
        return
    if isinstance(fields, list):
        if value not in fields:
            error(where, f"{value!r} is none of {fields}")
    elif isinstance(fields, str):
        kinds = {"string": str, "integer": int, "boolean": bool}
        if type(value) is not kinds[fields]:
            error(where, f"{value!r} is no {fields}")
    elif "*" in fields:
        if not isinstance(value, list):
            error(where, "is no list")
        else:
            for number, inner in enumerate(value):
                check_fields(f"{where}[{number}]", inner, fields["*"])
    elif not isinstance(value, dict):
        error(where, "has no fields")
    else:
        for field, inner in value.items():
            if field in fields:
                check_fields(f"{where}.{field}", inner, fields[field])
            else:
                error(where, f"there is no field {field!r}")


# ---- what no schema says ------------------------------------------------------------------------


class Rendered:
    def __init__(self, where, resources):
        self.where, self.resources = where, resources

    def of(self, *kinds):
        return [it for it in self.resources if it["kind"] in kinds]

    def named(self, kind, name):
        return any(it["metadata"]["name"] == name for it in self.of(kind))

    def check(self, secrets):
        keys = [kustomize.key(it) for it in self.resources]
        for key in {it for it in keys if keys.count(it) > 1}:
            error(self.where, f"{key} is there twice")
        workloads = self.of("Deployment", "StatefulSet", "Job")
        for workload in workloads:
            self.check_pod(workload, secrets)
        self.check_scaling()
        self.check_selectors(workloads)
        self.check_monitors(workloads)

    def check_scaling(self):
        scaled = []
        for scaler in self.of("HorizontalPodAutoscaler", "ScaledObject"):
            target = scaler["spec"]["scaleTargetRef"]
            scaled.append((target["kind"], target["name"]))
            if not self.named(target["kind"], target["name"]):
                error(self.where, f"{name_of(scaler)} scales what is not there")
        for it in {it for it in scaled if scaled.count(it) > 1}:
            error(self.where, f"two autoscalers scale {it}")
        for workload in self.of("Deployment", "StatefulSet"):
            is_scaled = (workload["kind"], workload["metadata"]["name"]) in scaled
            if is_scaled and "replicas" in workload["spec"]:
                error(self.where, f"{name_of(workload)} has replicas, and an autoscaler")
            if not is_scaled and "replicas" not in workload["spec"]:
                error(self.where, f"{name_of(workload)} has neither replicas nor an autoscaler")

    def check_selectors(self, workloads):
        pods = [it["spec"]["template"]["metadata"]["labels"] for it in workloads]
        selectors = [(it, it["spec"]["selector"]) for it in self.of("Service")]
        for it in self.of("PodDisruptionBudget", "Deployment", "StatefulSet"):
            selectors.append((it, it["spec"]["selector"]["matchLabels"]))
        for it in self.of("NetworkPolicy"):
            selectors.append((it, it["spec"]["podSelector"]["matchLabels"]))
        for it, wanted in selectors:
            if not any(wanted.items() <= labels.items() for labels in pods):
                error(self.where, f"{name_of(it)} selects nothing")
        for it in self.of("Deployment", "StatefulSet"):
            labels = it["spec"]["template"]["metadata"]["labels"]
            budgets = [b["spec"]["selector"]["matchLabels"] for b in self.of("PodDisruptionBudget")]
            if not any(wanted.items() <= labels.items() for wanted in budgets):
                error(self.where, f"{name_of(it)} has no PodDisruptionBudget")
            policies = [p["spec"]["podSelector"]["matchLabels"] for p in self.of("NetworkPolicy")]
            if not any(wanted.items() <= labels.items() for wanted in policies):
                error(self.where, f"{name_of(it)} has no NetworkPolicy")
            monitors = [m["spec"]["selector"]["matchLabels"] for m in self.of("PodMonitor")]
            if monitors and not any(wanted.items() <= labels.items() for wanted in monitors):
                error(self.where, f"{name_of(it)} is not scraped, so its alerts cannot fire")

    def check_monitors(self, workloads):
        pods = brokers()
        for it in workloads:
            (container,) = it["spec"]["template"]["spec"]["containers"]
            ports = {port["name"] for port in container.get("ports", [])}
            pods.append((it["spec"]["template"]["metadata"]["labels"], ports))
        for it in self.of("PodMonitor"):
            wanted = it["spec"]["selector"]["matchLabels"]
            ports = [ports for labels, ports in pods if wanted.items() <= labels.items()]
            if not ports:
                error(self.where, f"{name_of(it)} selects nothing")
            for endpoint in it["spec"]["podMetricsEndpoints"]:
                if not all(endpoint["port"] in those for those in ports):
                    error(self.where, f"{name_of(it)} asks for a port {endpoint['port']}")

    def check_pod(self, workload, secrets):
        pod, where = workload["spec"]["template"]["spec"], f"{self.where}: {name_of(workload)}"
        (container,) = pod["containers"]
        role = container["args"][0]
        env = {it["name"]: it for it in container.get("env", [])}
        known = known_settings()
        settings = {}
        for source in container.get("envFrom", []):
            (config,) = [
                it for it in self.of("ConfigMap")
                if it["metadata"]["name"] == source["configMapRef"]["name"]
            ] or [{"data": {}}]
            settings |= config["data"]
        for name in (env.keys() | settings.keys()) - known:
            error(where, f"no role reads {name}")
        for it in env.values():
            if ref := it.get("valueFrom", {}).get("secretKeyRef"):
                if ref["key"] not in secrets.get(ref["name"], {}):
                    error(where, f"examples/secrets.yaml has no {ref['name']}/{ref['key']}")
        for volume in pod.get("volumes", []):
            if secret := volume.get("secret"):
                if secret["secretName"] not in secrets:
                    error(where, f"examples/secrets.yaml has no {secret['secretName']}")
                if "fsGroup" not in pod["securityContext"]:
                    error(where, "without fsGroup only root can read a secret's files")
        if not re.search(r":(?!latest$)[\w.-]+$", container["image"]):
            error(where, f"the image {container['image']} is not pinned")
        if not pod["securityContext"].get("runAsNonRoot"):
            error(where, "may run as root")
        inside = container["securityContext"]
        if not inside["readOnlyRootFilesystem"] or inside["allowPrivilegeEscalation"]:
            error(where, "may write to its image or gain rights")
        if inside["capabilities"] != {"drop": ["ALL"]}:
            error(where, "keeps capabilities")
        if not {"cpu", "memory"} <= container["resources"]["requests"].keys():
            error(where, "requests no CPU or no memory")
        if "memory" not in container["resources"]["limits"]:
            error(where, "has no limit on memory")
        if not self.named("ServiceAccount", pod["serviceAccountName"]):
            error(where, "has a service account that is not there")
        if role == "migrate":
            return
        probes = {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
        for probe, path in ((f"{name}Probe", path) for name, path in probes.items()):
            if container[probe]["httpGet"] != {"path": path, "port": "ops"}:
                error(where, f"{probe} asks something else than {path} on the ops port")
        pre_stop = container.get("lifecycle", {}).get("preStop", {})
        before = pre_stop.get("sleep", {}).get("seconds", 0)
        settings |= {name: it["value"] for name, it in env.items() if "value" in it}
        needed = before + stopping.needed(role, settings, container["args"])
        if pod["terminationGracePeriodSeconds"] < needed:
            error(where, f"is killed before its {needed} s for stopping are over")
        if not pod.get("topologySpreadConstraints"):
            error(where, "may be all on one node")


def brokers():
    """The pods that RabbitMQ's cluster operator makes of the example: their labels and ports."""
    return [
        (
            {
                "app.kubernetes.io/name": it["metadata"]["name"],
                "app.kubernetes.io/component": "rabbitmq",
            },
            {"amqp", "management", BROKER_METRICS_PORT},
        )
        for it in kustomize.read(FOLDER / "examples/rabbitmq-cluster.yaml")
        if it["kind"] == "RabbitmqCluster"
    ]


def check_scraped(resources):
    """What Compose's Prometheus scrapes is scraped here, too, under the same jobs, and the rules
    ask for nothing else: who asks for what nobody scrapes has an alert that never fires."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    compose = {
        it["job_name"]: (it.get("metrics_path", "/metrics"), it.get("params"))
        for it in config["scrape_configs"]
    }
    here = {
        rule["replacement"]: (endpoint["path"], endpoint.get("params"))
        for it in resources if it["kind"] == "PodMonitor"
        for endpoint in it["spec"]["podMetricsEndpoints"]
        for rule in endpoint["relabelings"] if rule["targetLabel"] == "job"
    }
    for job in sorted(compose.keys() | here.keys()):
        if compose.get(job) != here.get(job):
            said = f"{job} is {here.get(job)}, and in deploy/prometheus {compose.get(job)}"
            error("components/pod-monitors", said)
    families = {it for _, params in here.values() for it in (params or {}).get("family", [])}
    for path in sorted(ROOT.glob("deploy/prometheus/rules/*.yml")):
        where, text = path.relative_to(ROOT), path.read_text()
        for job in sorted(set(re.findall(r'\bjob=~?"([^"]+)"', text))):
            if not any(re.fullmatch(job, it) for it in here):
                error(where, f"nothing on Kubernetes is scraped as {job}")
        for metric in sorted(set(re.findall(r"\brabbitmq_detailed_\w+", text))):
            if FAMILIES.get(metric) not in families:
                error(where, f"{metric} is of no family that is scraped on Kubernetes")


def check_signals(resources):
    """What autoscalers go by is there: an external metric that the adapter serves, a queue that the
    code declares. One that is not would leave the fleet as it is, and nobody would be told."""
    adapter = yaml.safe_load((FOLDER / "examples/prometheus-adapter.yaml").read_text())
    rules = adapter["rules"]["external"]
    served = {it["name"]["as"] for it in rules}
    for rule in rules:
        if rule["seriesQuery"] != f'{{__name__="{rule["metricsQuery"]}"}}':
            error("prometheus-adapter.yaml", f"{rule['metricsQuery']} is not what it looks for")
    asked = {
        metric["external"]["metric"]["name"]
        for it in resources if it["kind"] == "HorizontalPodAutoscaler"
        for metric in it["spec"]["metrics"] if metric["type"] == "External"
    }
    for name in asked ^ served:
        error("prometheus-adapter.yaml", f"{name} is either not served, or asked for by nobody")
    prefix = re.search(r'ONHAND_BROKER_PREFIX", default_value = "(\w+)"', settings_code()).group(1)
    topology = (ROOT / "crates/queue/src/rabbitmq/topology.rs").read_text()
    declared = {prefix + it for it in re.findall(r'format!\("\{prefix\}([.\w]+)"\)', topology)}
    triggers = [
        trigger["metadata"] for it in resources if it["kind"] == "ScaledObject"
        for trigger in it["spec"]["triggers"] if trigger["type"] == "rabbitmq"
    ]
    for trigger in triggers:
        if trigger["queueName"] not in declared:
            error("KEDA", f"there is no queue {trigger['queueName']}; there are {sorted(declared)}")
    if not (asked and triggers):
        error("overlays", "no autoscaler goes by what waits")


def settings_code():
    return "".join(it.read_text() for it in ROOT.glob("crates/onhand/src/**/*.rs"))


def known_settings():
    return set(re.findall(r'env = "(ONHAND_\w+)"', settings_code()))


def secrets_shown():
    shown = {}
    for it in kustomize.read(FOLDER / "examples/secrets.yaml"):
        shown[it["metadata"]["name"]] = it["stringData"]
    return shown


def main(real):
    secrets, seen, used, every = secrets_shown(), 0, set(), []
    overlays = sorted(it.parent for it in FOLDER.glob("overlays/*/kustomization.yaml"))
    for folder in overlays:
        where = folder.relative_to(ROOT)
        resources = kustomize.render(folder)
        for resource in resources:
            check_schema(where, resource)
        Rendered(where, resources).check(secrets)
        seen += len(resources)
        every += resources
        used |= {kustomize.key(it) for it in resources}
        if real:
            ran = subprocess.run([*real, folder], check=True, capture_output=True, text=True)
            theirs = {kustomize.key(it): it for it in yaml.safe_load_all(ran.stdout)}
            if theirs != {kustomize.key(it): it for it in resources}:
                error(where, f"`{' '.join(real)}` renders something else than we do")
    check_scraped(every)
    check_signals(every)
    examples = 0
    for path in sorted(FOLDER.glob("examples/*.yaml")):
        if path.name not in NOT_KUBERNETES:
            for resource in kustomize.read(path):
                check_schema(path.relative_to(ROOT), resource)
                examples += 1
    for path in sorted(FOLDER.glob("[bc]*/**/*.yaml")):
        if path.name != "kustomization.yaml":
            for it in kustomize.read(path):
                if it["metadata"]["name"] not in {name for _, _, name in used}:
                    error(path.relative_to(ROOT), f"no overlay uses {name_of(it)}")
    for it in errors:
        print(it, file=sys.stderr)
    print(
        f"{len(overlays)} overlays with {seen} resources and {examples} in examples, "
        f"against Kubernetes {' and '.join(VERSIONS)}"
        + (f"; `{' '.join(real)}` renders the same" if real and not errors else "")
    )
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
