"""A network bridge of our own for the engine: another one on the machine goes on undisturbed.

Two daemons that both look after `docker0` and the chains of iptables would take them from each
other. Ours gets a bridge, is told to leave iptables alone, and these rules let its containers out.
"""

from __future__ import annotations

from pathlib import Path

from tests.builds.machine import MachineError, need, run

NAME = "dockerfix0"
_ADDRESS, _NETWORK = "10.213.77.1/24", "10.213.77.0/24"
_RULES = (
    ("nat", "POSTROUTING", "-s", _NETWORK, "!", "-o", NAME, "-j", "MASQUERADE"),
    ("filter", "FORWARD", "-i", NAME, "-j", "ACCEPT"),
    ("filter", "FORWARD", "-o", NAME, "-j", "ACCEPT"),
)


def open_bridge() -> None:
    """Make the bridge and its rules, as far as they are not there. Raises MachineError."""
    need("ip", "iproute2")
    need("iptables", "iptables")
    if not Path("/sys/class/net", NAME).exists():
        run("ip", "link", "add", NAME, "type", "bridge")
        run("ip", "address", "add", _ADDRESS, "dev", NAME)
        run("ip", "link", "set", NAME, "up")
    for table, chain, *rule in _RULES:
        if not _succeeds("iptables", "-t", table, "-C", chain, *rule):
            run("iptables", "-t", table, "-I", chain, *rule)


def close_bridge() -> None:
    """Take them away; nothing is said of what is gone already."""
    for table, chain, *rule in _RULES:
        _succeeds("iptables", "-t", table, "-D", chain, *rule)
    _succeeds("ip", "link", "delete", NAME)


def _succeeds(*command: str) -> bool:
    try:
        run(*command)
    except MachineError:
        return False
    return True
