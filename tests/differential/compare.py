"""Plays scripts to two brokers in step and says where they differ, and why they may."""

import dataclasses
import itertools

from case import Case
from conditions import breaks_promise
from differences import DIFFERENCES
from player import Player

_names = itertools.count(1)


def name_plays_of(worker):
    """Processes that share the brokers must not share names."""
    global _names
    _names = itertools.count(worker << 24)


@dataclasses.dataclass
class Outcome:
    """How a script went: `lines` is what was seen; `unexplained` where it failed."""

    steps_compared: int = 0
    explained: list = dataclasses.field(default_factory=list)  # Differences that were met.
    unexplained: Case = None
    lines: list = dataclasses.field(default_factory=list)


def explain(case):
    """(whether the table accounts for the whole difference, those of its rows that do)."""
    used = []
    if breaks_promise(case):
        return False, used
    if case.ours == case.theirs:
        return True, used
    for difference in DIFFERENCES:
        if difference.applies(case):
            used.append(difference)
            if difference.ends_script or case.ours == case.theirs:
                return True, used
    return case.ours == case.theirs, used


def judge(steps, at, ours, theirs, versions, outcome):
    """Whether the script may go on after this step. A row that ends it does so for all clients:
    what the others see follows from it."""
    unexplained = None
    for key in sorted(ours.keys() | theirs.keys()):
        case = Case(steps, at, *key, versions[key], ours.get(key, []), theirs.get(key, []))
        same, used = explain(case)
        outcome.explained += used
        if any(difference.ends_script for difference in used):
            return False
        unexplained = unexplained or (None if same else case)
    outcome.unexplained = unexplained
    return unexplained is None


def tell(lines, step, ours, theirs):
    lines.append(str(step))
    for (client, link) in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get((client, link), []), theirs.get((client, link), [])
        where = f"client {client}, connection {link}"
        if mine == other:
            lines += [f"    {where}: {seen}" for seen in mine]
            continue
        lines += [f"  - {where}, nightjar:  {seen}" for seen in mine or ("nothing",)]
        lines += [f"  + {where}, mosquitto: {seen}" for seen in other or ("nothing",)]


def play(steps, brokers, rounds):
    """Plays the script to (nightjar's port, mosquitto's port), up to what ends it."""
    root = f"{next(_names):08x}"
    players = [Player(port, root, rounds) for port in brokers]
    outcome = Outcome()
    versions = {}
    opened = {}
    try:
        for at, step in enumerate(steps):
            if step.act == "open":
                number = opened[step.client] = opened.get(step.client, -1) + 1
                versions[step.client, number] = step.version
            ours, theirs = [player.play(step) for player in players]
            if ours is None and theirs is None:
                continue
            ours, theirs = ours or {}, theirs or {}
            tell(outcome.lines, step, ours, theirs)
            outcome.steps_compared += 1
            if not judge(steps, at, ours, theirs, versions, outcome):
                break
    finally:
        for player in players:
            player.close()
    return outcome


def minimise(steps, brokers, rounds):
    """A shorter script that fails as well: no single step of it can go."""
    at = len(steps)
    while at > 0:
        at -= 1
        later = [step for step in steps[at + 1 :] if step.client == steps[at].client]
        if steps[at].act == "open" and later and later[0].act != "open":
            continue  # Its packets were made for the version that this one speaks.
        fewer = steps[:at] + steps[at + 1 :]
        if play(fewer, brokers, rounds).unexplained:
            steps = fewer
    return steps
