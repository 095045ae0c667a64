"""Where nightjar and Mosquitto 2.0.11 may differ, and who is right by the specification.

A row's function gets a Case: what one connection saw in one step, from both brokers. It returns
whether it knows a difference there, and changes `ours` and `theirs` so that this difference is gone;
what then remains is for the other rows, and at last for the reader. A row that `ends_script` need
not change anything: the brokers are in different states from there on, and the script is over.

Statements are those of MQTT 5 unless said otherwise.
"""

import dataclasses
from collections.abc import Callable

import wire
from wire import V31

NIGHTJAR, MOSQUITTO, BOTH = "nightjar", "Mosquitto", "both"


@dataclasses.dataclass(frozen=True)
class Difference:
    name: str
    right: str
    why: str
    applies: Callable
    ends_script: bool = False


# What the conditions are made of.

ANSWERS = ("PUBACK", "PUBREC", "PUBCOMP", "SUBACK", "UNSUBACK")


def pairs(case, *kinds):
    """Packets of these kinds, at the same place in both, that are not the same."""
    return [
        (a, b) for a, b in zip(case.ours, case.theirs)
        if a.kind == b.kind and a.kind in kinds and a != b
    ]


def publishes(packets):
    return [each for each in packets if each.kind == "PUBLISH"]


def is_closed(packets):
    return bool(packets) and packets[-1].kind == "CLOSED"


def only_ours_closes(case):
    return is_closed(case.ours) and not is_closed(case.theirs)


def odd_publishes(case):
    """The messages that one of the two has and the other has not."""
    ours, theirs = publishes(case.ours), publishes(case.theirs)
    for each in list(ours):
        if each in theirs:
            theirs.remove(each)
            ours.remove(each)
    return ours + theirs


# Answers

def no_subscribers(case):
    found = [
        (a, b) for a, b in pairs(case, "PUBACK", "PUBREC") if {a["reason"], b["reason"]} == {0, 0x10}]
    for a, b in found:
        a.fields["reason"] = b.fields["reason"]
    return bool(found)


def unknown_identifier(case):
    found = [
        (a, b) for a, b in pairs(case, "PUBREL", "PUBCOMP") if (a["reason"], b["reason"]) == (0x92, 0)]
    for a, b in found:
        a.fields["reason"] = 0
    return bool(found)


def no_subscription(case):
    found = False
    for a, b in pairs(case, "UNSUBACK"):
        told = tuple(
            0 if (mine, other) == (0x11, 0) else mine for mine, other in zip(a["codes"], b["codes"]))
        found = found or told != a["codes"]
        a.fields["codes"] = told
    return found


def connack_properties(case):
    found = False
    for a, b in pairs(case, "CONNACK"):
        before = len(a["props"]) + len(b["props"])
        a["props"].pop("shared_available", None)
        if b["props"].get("server_keep_alive") == 65535:
            del b["props"]["server_keep_alive"]
        found = found or len(a["props"]) + len(b["props"]) != before
    return found


# The end of a connection

def said_why(case):
    ours, theirs = case.ours, case.theirs
    if not (is_closed(ours) and is_closed(theirs)) or len(ours) < 2:
        return False
    if ours[-2].kind != "DISCONNECT" or any(each.kind == "DISCONNECT" for each in theirs):
        return False
    del ours[-2]
    return True


REASONS = {
    (0x90, 0x82): "an invalid topic name",
    (0x90, 0x81): "an invalid topic name",
    (0x81, 0x82): "what cannot be parsed, such as packet type 0",
    (0x94, 0x81): "topic alias 0",
    (0x82, 0x94): "two faults in one packet: either may be named",
    (0x82, 0x81): "what the specification calls a Protocol Error, such as Retain Handling 3",
}


def disconnect_reason(case):
    found = [(a, b) for a, b in pairs(case, "DISCONNECT") if (a["reason"], b["reason"]) in REASONS]
    for a, b in found:
        a.fields["reason"] = b["reason"]
    return bool(found)


def refusal_in_connack(case):
    kinds = [each.kind for each in case.ours]
    if kinds != ["CONNACK", "CLOSED"] or not case.ours[0]["reason"] or len(case.theirs) != 1:
        return False
    return case.step.act == "open" and is_closed(case.theirs) and bool(case.ours.pop(0))


def tolerated(case):
    """The name of what Mosquitto puts up with in this step and nightjar does not."""
    if not only_ours_closes(case):
        return None
    for say in case.step.says:
        if say.kind == "NONSENSE" and say.get("what") in ("SUBACK", "UNSUBACK", "PINGRESP"):
            return "a packet of a server"
        if say.kind == "NONSENSE" and "without a filter" in say.get("what") and case.version == V31:
            return "nothing to subscribe to"
        if say.kind == "PUBLISH" and "subscription_id" in say.get("props", ()):
            return "a client's subscription identifier"
        if say.kind == "MUTANT" and say.get("raw")[0] & 0xFE == 0x38:
            return "DUP with QoS 0"
        if say.kind == "MUTANT" and wire.PUBACK <= say.get("raw")[0] >> 4 <= wire.PUBCOMP:
            return "an acknowledgement that is none"
    return None


def only_theirs_closes(case):
    return is_closed(case.theirs) and not is_closed(case.ours)


def is_control(byte):
    return byte < 0x20 or byte == 0x7F


def control_characters(case):
    mutants = [say for say in case.step.says if say.kind == "MUTANT"]
    return only_theirs_closes(case) and any(
        is_control(say.get("is")) and not is_control(say.get("was")) for say in mutants)


def begins_with(packets, start):
    return packets[: len(start)] == start


def lost_with_connection(case):
    """Mosquitto has not written what it had to say when it closed."""
    if not (is_closed(case.ours) and is_closed(case.theirs)):
        return False
    ours, theirs = apart(case.ours[:-1]), apart(case.theirs[:-1])
    if not all(begins_with(mine, other) for mine, other in zip(ours, theirs)) or ours == theirs:
        return False
    case.ours = case.theirs
    return True


def connect_flags(case):
    mutants = [say.get("raw") for say in case.step.says if say.kind == "MUTANT"]
    return case.step.act == "open" and case.ours != case.theirs and any(
        raw[0] >> 4 == wire.CONNECT and raw[0] & 15 and case.version == V31 for raw in mutants)


# Messages

def apart(packets):
    """What answers the client, and what the broker sends by itself; CONNACK and the end are both."""
    return (
        [each for each in packets if each.kind not in ANSWERS],
        [each for each in packets if each.kind in (*ANSWERS, "CONNACK", "CLOSED", "DISCONNECT")])


def interleaving(case):
    if apart(case.ours) != apart(case.theirs):
        return False
    case.ours = case.theirs
    return True


def split(packets, belongs):
    """Those that belong, by their text, and the others as they came."""
    return (
        sorted((each for each in packets if belongs(each)), key=repr),
        [each for each in packets if not belongs(each)])


def by_subscription(packets):
    """What came for each subscription, in order, and apart from it the others."""
    streams, others = {}, []
    for each in packets:
        if each.kind == "PUBLISH":
            ids = each["props"].get("subscription_id", ())
            streams.setdefault((each["qos"], each["retain"], *ids), []).append(each)
        elif each.kind != "PUBREL":
            others.append(each)
    return streams, sorted(each["id"] for each in packets if each.kind == "PUBREL"), others


def order_of_copies(case):
    """Only if there are several of a message: messages for one subscription keep their order."""
    texts = [(each["topic"], each["payload"]) for each in publishes(case.ours)]
    if len(set(texts)) == len(texts):
        return False
    mine, other = by_subscription(case.ours), by_subscription(case.theirs)
    if mine[:2] != other[:2] or apart(mine[2]) != apart(other[2]):
        return False
    case.ours = case.theirs
    return True


def order_of_retained(case):
    """Their PUBREL packets follow them; a window may put a message behind another's handshake."""
    if not any(say.kind == "SUBSCRIBE" for say in case.step.says):
        return False

    def belongs(packet):
        return packet.kind == "PUBREL" or packet.kind == "PUBLISH" and packet["retain"]

    if split(case.ours, belongs) != split(case.theirs, belongs):
        return False
    case.ours = case.theirs
    return True


def has_to_do_with(case, messages):
    """Whether a message that one of the two has and the other has not is one of these, or one that
    these replaced as the retained message of its topic."""
    payloads = {payload[:20] for _, payload, _ in messages}
    topics = {topic for topic, _, is_retained in messages if is_retained}
    return any(
        each["payload"] in payloads or each["retain"] and topics & {each["topic"], ""}
        for each in odd_publishes(case))


def half_a_handshake(case):
    return has_to_do_with(case, [
        (say.get("topic"), say.get("payload"), say.get("retain")) for say in case.open_qos2()])


def reused_identifier(case):
    return case.reused_payloads and any(
        each["payload"] in case.reused_payloads for each in odd_publishes(case))


def own_retained(case):
    """Ends the script: what Mosquitto sends too much may wait for answers from then on."""
    own = {say.get("payload")[:20] for say in case.said("PUBLISH", by=case.client)}
    own |= {will[1][:20] for will in case.wills_of(case.client)}
    has_no_local = any(
        options & 4 for say in case.step.says if say.kind == "SUBSCRIBE"
        for _, options in say.get("filters"))
    extra = publishes(case.theirs)
    for each in publishes(case.ours):
        if each in extra:
            extra.remove(each)
    return has_no_local and any(each["retain"] and each["payload"] in own for each in extra)


def subscribed_again(case):
    """With other options than before: in 2.0.11 only the QoS and the identifier change."""
    options_of = {}
    for say in case.said("SUBSCRIBE", by=case.client):
        for filter, options in say.get("filters"):
            options_of.setdefault(filter, set()).add(options & 0x0C)
    changed = any(len(each) > 1 for each in options_of.values())
    return changed and bool(odd_publishes(case))


def wills(case, fits):
    """The wills of clients of which fits(will, steps of the client since its CONNECT) is true."""
    found = []
    for client in range(3):
        steps = [step for step in case.steps_so_far if step.client == client]
        for at, step in enumerate(steps):
            will = step.says[0].get("will") if step.says else None
            if will and step.act == "open" and fits(will, steps[at:]):
                found.append((will[0], will[1], will[3]))
    return found


def is_delayed(will):
    return bool(len(will) > 4 and will[4].get("will_delay"))


def is_taken_over(will, steps):
    return not is_delayed(will) and len(steps) > 1 and any(
        first.act != "leave" and then.act == "open" for first, then in zip(steps, steps[1:]))


def outlasts_session(will, steps):
    """A delayed will whose session has ended, or ends when the connection does."""
    expiry = steps[0].says[0].get("session_expiry", 0)
    for step in steps[1:]:
        for say in step.says:
            if say.kind == "DISCONNECT":
                expiry = say.get("session_expiry", expiry)
            if say.kind == "CONNECT" and say.get("clean"):
                expiry = 0
    return is_delayed(will) and expiry == 0


def left_with_reason(_, steps):
    return any(
        say.get("reason", 0) >= 0x80 for step in steps for say in step.says
        if say.kind == "DISCONNECT")


def larger_than_allowed(case):
    """Messages that Mosquitto sends to a client that has said it takes no such size."""
    limit = [0] + [
        say.get("maximum_packet_size") for say in case.said("CONNECT", by=case.client)]
    too_large = [each for each in case.theirs if limit[-1] and each.size > limit[-1]]
    case.theirs = [each for each in case.theirs if each not in too_large]
    return bool(too_large)


DIFFERENCES = (
    Difference(
        "no matching subscribers", BOTH,
        "A server MAY say 0x10 instead of success (table 3-4).",
        no_subscribers),
    Difference(
        "unknown packet identifier", NIGHTJAR,
        "0x92 is for an identifier that is not known (3.6.2.1, 3.7.2.1); Mosquitto says success.",
        unknown_identifier),
    Difference(
        "no subscription existed", NIGHTJAR,
        "0x11 says so (3.11.3); Mosquitto says success where it knows no topic of that beginning.",
        no_subscription),
    Difference(
        "properties of CONNACK", BOTH,
        "nightjar says what it lacks; Mosquitto has a longest keep alive for who wants none.",
        connack_properties),
    Difference(
        "refusal said in CONNACK", BOTH,
        "A server MAY say why before it closes [MQTT-3.1.4-2].",
        refusal_in_connack),
    Difference(
        "reason said before closing", BOTH,
        "A server SHOULD send DISCONNECT with a reason (4.13.1); Mosquitto often just closes.",
        said_why),
    Difference(
        "reason of DISCONNECT", NIGHTJAR,
        "Where the specification names a reason, nightjar gives it.",
        disconnect_reason),
    Difference(
        "packets that only servers send", NIGHTJAR,
        "A protocol violation closes the connection (4.13.1; [MQTT-4.8.0-1] of 3.1.1).",
        lambda case: tolerated(case) == "a packet of a server", ends_script=True),
    Difference(
        "no filter in MQTT 3.1", BOTH,
        "3.1 does not say what to do about it; its successors close [MQTT-3.8.3-2] [MQTT-3.10.3-2].",
        lambda case: tolerated(case) == "nothing to subscribe to", ends_script=True),
    Difference(
        "subscription identifier from a client", NIGHTJAR,
        "A client's PUBLISH must not have one [MQTT-3.3.4-6]: a Protocol Error.",
        lambda case: tolerated(case) == "a client's subscription identifier", ends_script=True),
    Difference(
        "DUP with QoS 0", NIGHTJAR,
        "It MUST be 0 [MQTT-3.3.1-2].",
        lambda case: tolerated(case) == "DUP with QoS 0", ends_script=True),
    Difference(
        "an acknowledgement that is none", NIGHTJAR,
        "A packet with bytes that belong to nothing is malformed (2.1.4, 3.4).",
        lambda case: tolerated(case) == "an acknowledgement that is none", ends_script=True),
    Difference(
        "flags of CONNECT in MQTT 3.1", BOTH,
        "3.1 calls them unused; its successors close [MQTT-2.2.2-2].",
        connect_flags, ends_script=True),
    Difference(
        "control characters", BOTH,
        "A receiver MAY refuse them (1.5.4).",
        control_characters, ends_script=True),
    Difference(
        "lost with the connection", BOTH,
        "Nothing promises that what was said before a connection was closed for an error arrives.",
        lost_with_connection),
    Difference(
        "subscribed again with other options", NIGHTJAR,
        "A new subscription replaces the old one with all its options [MQTT-3.8.4-3].",
        subscribed_again, ends_script=True),
    Difference(
        "will of a connection that is taken over", NIGHTJAR,
        "It is published as at any other end of a connection (3.1.4, [MQTT-3.1.2-8]).",
        lambda case: has_to_do_with(case, wills(case, is_taken_over)), ends_script=True),
    Difference(
        "delayed will at the end of a session", NIGHTJAR,
        "It is due when its session ends, however long its delay [MQTT-3.1.3-9].",
        lambda case: has_to_do_with(case, wills(case, outlasts_session)), ends_script=True),
    Difference(
        "will after DISCONNECT with a failure", NIGHTJAR,
        "Only reason 0x00 discards the will [MQTT-3.14.4-3]; Mosquitto keeps it for 0x04 only.",
        lambda case: has_to_do_with(case, wills(case, left_with_reason)), ends_script=True),
    Difference(
        "larger than Maximum Packet Size", NIGHTJAR,
        "A server MUST NOT send it [MQTT-3.1.2-24]; Mosquitto counts a few bytes too few.",
        larger_than_allowed, ends_script=True),
    Difference(
        "own retained message and No Local", NIGHTJAR,
        "No Local keeps a client's own messages from it, retained ones too [MQTT-3.8.3-3].",
        own_retained, ends_script=True),
    Difference(
        "half a QoS 2 handshake", BOTH,
        "nightjar passes a message on at PUBLISH, Mosquitto at PUBREL: methods B and A of 4.3.3.",
        half_a_handshake, ends_script=True),
    Difference(
        "QoS 2 identifier used again", NIGHTJAR,
        "Until PUBREL it is the same message and must not be passed on again [MQTT-4.3.3-10].",
        reused_identifier, ends_script=True),
    Difference(
        "order of copies", BOTH,
        "Nothing orders the copies that several subscriptions of a client get.",
        order_of_copies),
    Difference(
        "order of retained messages", BOTH,
        "Nothing orders the retained messages of several topics.",
        order_of_retained),
    Difference(
        "order of answers and messages", BOTH,
        "Each keeps its order, but nothing orders an answer and a message to the same client.",
        interleaving),
)
