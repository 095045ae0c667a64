"""Plays scripts to two brokers in step and says where they differ, and why they may."""

import dataclasses
import itertools

from differences import DIFFERENCES
from player import Player

_names = itertools.count(1)


def name_plays_of(worker):
    """Processes that share the brokers must not share names."""
    global _names
    _names = itertools.count(worker << 24)




@dataclasses.dataclass
class Case:
    """What one connection saw in one step, from both brokers: what a difference is judged by."""

    steps: list  # All of the script.
    at: int  # Which of them this is.
    client: int
    link: int
    version: int
    ours: list
    theirs: list

    @property
    def step(self):
        return self.steps[self.at]

    @property
    def steps_so_far(self):
        return self.steps[: self.at + 1]

    @property
    def is_actor(self):
        return self.step.client == self.client

    def said(self, *kinds, by=None):
        """What the clients, or one, have sent of these kinds, up to this step."""
        return [
            say for step in self.steps_so_far if by in (None, step.client)
            for say in step.says if say.kind in kinds]

    def wills_of(self, client):
        return [say.get("will") for say in self.said("CONNECT", by=client) if say.get("will")]

    def _qos2(self):
        """(messages that wait for PUBREL, payloads sent with an identifier that did)."""
        waiting, again = {}, set()
        for step in self.steps_so_far:
            for say in step.says:
                key = (step.client, say.get("packet_id", say.get("id")))
                if say.kind == "PUBLISH" and say.get("qos") == 2:
                    if key in waiting:
                        again.add(say.get("payload")[:20])
                    waiting[key] = say
                if say.kind == "MUTANT" and isinstance(say.get("of"), tuple):
                    message = say.get("of")[0]  # Its identifier may be another now.
                    if message.get("qos"):
                        waiting[message] = message
                if say.kind in ("PUBREL", "ODD_ACK") and self.steps[self.at] is not step:
                    waiting.pop(key, None)
                elif say.kind == "PUBREL" and waiting.get(key) in step.says:
                    waiting.pop(key, None)
        return waiting.values(), again

    def open_qos2(self):
        return self._qos2()[0]

    @property
    def reused_payloads(self):
        return self._qos2()[1]


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
    if case.ours == case.theirs:
        return True, used
    for difference in DIFFERENCES:
        if difference.applies(case):
            used.append(difference)
            if difference.ends_script or case.ours == case.theirs:
                return True, used
    return case.ours == case.theirs, used


def judge(steps, at, ours, theirs, versions, outcome):
    """Whether the script may go on after this step."""
    goes_on = True
    for key in sorted(ours.keys() | theirs.keys()):
        case = Case(steps, at, *key, versions[key], ours.get(key, []), theirs.get(key, []))
        same, used = explain(case)
        outcome.explained += used
        if not same:
            outcome.unexplained = case
            return False
        goes_on = goes_on and not any(difference.ends_script for difference in used)
    return goes_on


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
            if not judge(steps, at, ours, theirs, versions, outcome):
                break
            outcome.steps_compared += 1
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
