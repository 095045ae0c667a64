"""What one connection saw in one step from both brokers, and what led to it."""

import dataclasses


def intended(step):
    """The packets of a step; for one of which a byte was changed, what it had been."""
    for say in step.says:
        of = say.get("of")
        if of is None:
            yield say
        else:
            yield from of if isinstance(of, tuple) else (of,)


@dataclasses.dataclass
class Case:
    steps: list  # All of the script.
    at: int  # Which of them this is.
    client: int
    link: int  # Which of the client's connections.
    version: int
    ours: list  # Seen; conditions change these two.
    theirs: list

    @property
    def step(self):
        return self.steps[self.at]

    @property
    def steps_so_far(self):
        return self.steps[: self.at + 1]

    def said(self, *kinds, by=None):
        """What the clients, or one, have sent of these kinds, up to this step."""
        return [
            say for step in self.steps_so_far if by in (None, step.client)
            for say in step.says if say.kind in kinds]

    def agreed(self, name, default=None):
        """What the CONNECT of this connection says about this."""
        mine = [step for step in self.steps_so_far if step.client == self.client]
        opens = [step for step in mine if step.act == "open"]
        return opens[self.link].says[0].get(name, default)

    def half_handshakes(self):
        """QoS 2 messages whose PUBREL was not sent in the same step."""
        found = []
        for step in self.steps_so_far:
            for at, say in enumerate(step.says):
                if say.kind == "PUBLISH" and say.get("qos") == 2:
                    then = step.says[at + 1] if at + 1 < len(step.says) else None
                    if then is None or then.kind != "PUBREL":
                        found.append(say)
        return found

    def sent_while_waiting(self):
        """QoS 2 messages with an identifier that waited for its PUBREL."""
        found, waiting = [], set()
        for step in self.steps_so_far:
            for say in step.says:
                key = (step.client, say.get("packet_id", say.get("id")))
                if say.kind == "PUBLISH" and say.get("qos") == 2:
                    if key in waiting:
                        found.append(say)
                    waiting.add(key)
                elif say.kind == "PUBREL":
                    waiting.discard(key)
        return found

    def mutated(self, kind):
        """Packets of this kind of which a byte was changed, as they had been."""
        return [
            say for step in self.steps_so_far if any(say.kind == "MUTANT" for say in step.says)
            for say in intended(step) if say.kind == kind]
