"""How long a role may take to stop, by what the code says. Whoever kills it must wait that long.

    stopping.py UNIT…    checks TimeoutStopSec of systemd's units
"""

import re
import sys
from pathlib import Path

CRATES = Path(__file__).resolve().parents[2] / "crates"


def said(file, before):
    """The number of seconds that stands behind `before` in the code."""
    (seconds,) = re.findall(before + r"(\d+)\b", (CRATES / file).read_text())
    return int(seconds)


# Each of what is closed, one after the other, and at the end of all the ops port.
CLOSE = said("onhand/src/roles.rs", r"const CLOSE: Duration = Duration::from_secs\(")
# What lanes hold, and beside them what is in the spool.
DRAIN = said("onhand/src/roles.rs", r'"ONHAND_DRAIN_SECONDS", default_value_t = ')
LAST_NOTE = said("worker/src/lib.rs", r"const LAST_NOTE: Duration = Duration::from_secs\(")
LEAVE_SPOOL = said("queue/src/spool/drain.rs", r"const LEAVE_WITHIN: Duration = Duration::from_secs\(")
REQUESTS = said("serve/src/lib.rs", r"drain_timeout: Duration::from_secs\(")


def needed(role, env, args=()):
    """With the settings `env` and the arguments `args`: crates/onhand/src/roles.rs."""
    drain = int(env.get("ONHAND_DRAIN_SECONDS", DRAIN))
    spool = "ONHAND_SPOOL" in env or "--spool" in args
    emptied = drain + LEAVE_SPOOL if spool else 0
    counting, queue, store, ops = CLOSE, CLOSE, CLOSE, CLOSE
    closing = CLOSE if spool else 0
    return {
        "console": counting + store + ops,
        "ingress": REQUESTS + emptied + closing + queue + ops,
        "migrate": 0,
        "serve": REQUESTS + max(drain + LAST_NOTE, emptied) + counting + closing + queue + store + ops,
        "worker": drain + LAST_NOTE + counting + queue + store + ops,
    }[role]


def main(units):
    short = 0
    for path in units:
        text = Path(path).read_text()
        _, role, *args = re.search(r"^ExecStart=(.*)", text, re.M)[1].split()
        env = dict(re.findall(r"\b(ONHAND_\w+)=(\S+)", text))
        allowed = re.search(r"^TimeoutStopSec=(\d+)$", text, re.M)
        wanted = needed(role, env, args)
        if wanted and (not allowed or int(allowed[1]) < wanted):
            print(f"{path}: is killed before its {wanted} s for stopping are over", file=sys.stderr)
            short = 1
    return short


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
