"""Renders the part of kustomize that deploy/kubernetes uses, where there is no kustomize.

Resources, components, namespace, images, and patches that delete. Anything else is an error and not
passed over; where the real one is at hand, scripts/check-deploy compares the two.
"""

from pathlib import Path

import yaml

KNOWN = {"apiVersion", "kind", "namespace", "resources", "components", "patches", "images"}
# These are nowhere in particular.
CLUSTER_WIDE = {"Namespace"}


class Unsupported(Exception):
    pass


def read(path):
    return [it for it in yaml.safe_load_all(path.read_text()) if it is not None]


def render(folder, below=()):
    """Everything that `folder` makes of itself and of what is `below` it (for components)."""
    (rules,) = read(Path(folder) / "kustomization.yaml")
    if unknown := rules.keys() - KNOWN:
        raise Unsupported(f"{folder}: this renderer knows nothing of {sorted(unknown)}")
    resources = list(below)
    for name in rules.get("resources", []):
        path = Path(folder) / name
        resources += render(path) if path.is_dir() else read(path)
    for name in rules.get("components", []):
        resources = render(Path(folder) / name, resources)
    for patch in rules.get("patches", []):
        resources = delete(folder, resources, patch)
    for resource in resources:
        if rules.get("namespace"):
            settle(resource, rules["namespace"])
        for image in rules.get("images", []):
            rename(resource, image)
    return resources


def key(resource):
    return resource["apiVersion"], resource["kind"], resource["metadata"]["name"]


def delete(folder, resources, patch):
    (what,) = yaml.safe_load_all(patch["patch"])
    if patch.keys() != {"patch"} or what.get("$patch") != "delete":
        raise Unsupported(f"{folder}: this renderer knows only patches that delete")
    left = [it for it in resources if key(it) != key(what)]
    if len(left) != len(resources) - 1:
        raise Unsupported(f"{folder}: there is not one {key(what)} to delete")
    return left


def settle(resource, namespace):
    if resource["kind"] in CLUSTER_WIDE:
        resource["metadata"]["name"] = namespace
    else:
        resource["metadata"]["namespace"] = namespace


def rename(value, image):
    """Containers are wherever a list of that name is."""
    if isinstance(value, dict):
        for container in (value.get("containers") or []) + (value.get("initContainers") or []):
            if container.get("image") == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
        for inner in value.values():
            rename(inner, image)
    elif isinstance(value, list):
        for inner in value:
            rename(inner, image)
