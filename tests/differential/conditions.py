"""The conditions of the table in differences.py, and what they are made of.

A condition gets a Case and says whether it knows a difference there. One that does not end the
script also changes `ours` and `theirs` so that its difference is gone; what remains is for others.
"""

import wire
from case import intended
from script import BAD_FILTERS, PAYLOAD_SHOWN, ROOT
from wire import V5, V31

ANSWERS = ("PUBACK", "PUBREC", "PUBCOMP", "SUBACK", "UNSUBACK")
OF_SERVERS = (wire.CONNACK, wire.SUBACK, wire.UNSUBACK, wire.PINGRESP)
WINDOW_MAX = 20  # max_inflight_messages of both brokers.


def pairs(case, *kinds):
    """Packets of these kinds, at the same place in both, that are not the same."""
    return [
        (ours, theirs) for ours, theirs in zip(case.ours, case.theirs)
        if ours.kind == theirs.kind and ours.kind in kinds and ours != theirs]


def publishes(packets):
    return [each for each in packets if each.kind == "PUBLISH"]


def odd_publishes(case):
    """The messages that one of the two has and the other has not: (ours, theirs)."""
    ours, theirs = publishes(case.ours), publishes(case.theirs)
    for each in list(ours):
        if each in theirs:
            theirs.remove(each)
            ours.remove(each)
    return ours, theirs


def is_closed(packets):
    return bool(packets) and packets[-1].kind == "CLOSED"


def only_theirs_closes(case):
    return is_closed(case.theirs) and not is_closed(case.ours)


def said_in_step(case, kind):
    return [say for say in case.step.says if say.kind == kind]


def subscribes(case):
    return any(say.kind == "SUBSCRIBE" for say in intended(case.step))


# Answers


def reason_strings(case):
    wanted = case.agreed("request_problem_information", 1) != 0
    found = False
    for packet in case.ours:
        if wanted or packet.kind in ("CONNACK", "DISCONNECT"):
            found = packet.fields.get("props", {}).pop("reason_string", None) is not None or found
    return found


def no_subscribers(case):
    found = [each for each in pairs(case, "PUBACK", "PUBREC")
             if {each[0]["reason"], each[1]["reason"]} == {0, 0x10}]
    for ours, theirs in found:
        ours.fields["reason"] = theirs["reason"]
    return bool(found)


def unknown_identifier(case):
    found = [ours for ours, theirs in pairs(case, "PUBREL", "PUBCOMP")
             if (ours["reason"], theirs["reason"]) == (0x92, 0)]
    for ours in found:
        ours.fields["reason"] = 0
    return bool(found)


def no_subscription(case):
    found = False
    for ours, theirs in pairs(case, "UNSUBACK"):
        codes = tuple(
            0 if both == (0x11, 0) else both[0] for both in zip(ours["codes"], theirs["codes"]))
        found = found or codes != ours["codes"]
        ours.fields["codes"] = codes
    return found


# nightjar's own, which say what is absent or allowed by default.
CONNACK_EXTRAS = ("shared_available", "wildcard_available", "subscription_id_available")


def connack_properties(case):
    found = False
    for ours, theirs in pairs(case, "CONNACK"):
        for name in CONNACK_EXTRAS:
            found = ours["props"].pop(name, None) is not None or found
        if theirs["props"].get("server_keep_alive") == 65535:
            found = theirs["props"].pop("server_keep_alive") > 0
    return found


def identifier_in_use(case):
    return any(
        packet.fields.get("reason") == 0x91 or 0x91 in packet.fields.get("codes", ())
        for packet in case.ours)


def their_connack_too_large(case):
    limit = case.agreed("maximum_packet_size")
    return case.step.act == "open" and is_closed(case.theirs) and len(case.theirs) == 1 and any(
        each.kind == "CONNACK" and bool(limit) and each.size <= limit for each in case.ours)


# The end of a connection


def said_why(case):
    if not (is_closed(case.ours) and is_closed(case.theirs)) or len(case.ours) < 2:
        return False
    if case.ours[-2].kind != "DISCONNECT" or any(e.kind == "DISCONNECT" for e in case.theirs):
        return False
    del case.ours[-2]
    return True


# (nightjar's reason, Mosquitto's): for what.
REASONS = {
    (0x90, 0x82): "an invalid topic name",
    (0x90, 0x81): "an invalid topic name",
    (0x94, 0x81): "topic alias 0",
    (0x90, 0x94): "two faults in one packet: either may be named",
    (0x82, 0x94): "two faults in one packet: either may be named",
    (0x81, 0x82): "what cannot be parsed, such as packet type 0",
    (0x82, 0x81): "what the specification calls a Protocol Error, such as Retain Handling 3",
}


def disconnect_reason(case):
    found = [each for each in pairs(case, "DISCONNECT")
             if (each[0]["reason"], each[1]["reason"]) in REASONS]
    for ours, theirs in found:
        ours.fields["reason"] = theirs["reason"]
    return bool(found)


def refusal_in_connack(case):
    """Of MQTT 5 only: a server of 3.1.1 closes in silence [MQTT-3.1.4-1]."""
    kinds = [each.kind for each in case.ours]
    if case.step.act != "open" or kinds != ["CONNACK", "CLOSED"] or not case.ours[0]["reason"]:
        return False
    if len(case.theirs) != 1 or not is_closed(case.theirs):
        return False
    del case.ours[0]
    return True


def refusal_in_silence(case):
    kinds = [each.kind for each in case.theirs]
    if case.step.act != "open" or case.version == V5 or kinds != ["CONNACK", "CLOSED"]:
        return False
    if len(case.ours) != 1 or not is_closed(case.ours) or not said_in_step(case, "MUTANT"):
        return False
    del case.theirs[0]
    return True


def tolerates_packet_of_server(case):
    return closes_alone(case) and any(
        say.get("what") in ("SUBACK", "UNSUBACK", "PINGRESP")
        or say.kind == "MUTANT" and say.get("raw")[0] >> 4 in OF_SERVERS
        for say in case.step.says)


def closes_alone(case):
    """nightjar closes where Mosquitto does not, or not yet."""
    return is_closed(case.ours) and case.ours != case.theirs


def tolerates_no_filter(case):
    return closes_alone(case) and case.version == V31 and any(
        "without a filter" in say.get("what") for say in said_in_step(case, "NONSENSE"))


def tolerates_subscription_id(case):
    return closes_alone(case) and any(
        say.kind == "PUBLISH" and "subscription_id" in say.get("props", ())
        for say in intended(case.step))


def tolerates_payload_format(case):
    has_format = any(
        "payload_format" in str(say.get("props") or say.get("will")) for say in intended(case.step))
    return closes_alone(case) and has_format and any(
        say.get("was") in (0, 1) for say in said_in_step(case, "MUTANT"))


def tolerates_response_topic(case):
    """One with a wildcard, or an empty one, made of Correlation Data."""
    return closes_alone(case) and any(
        chr(say.get("is")) in "+#" or (say.get("was"), say.get("is")) == (9, 8)
        for say in said_in_step(case, "MUTANT"))


def tolerates_text(case):
    """In the user name."""
    return closes_alone(case) and case.version == V31 and any(
        say.get("was") < 0x80 <= say.get("is") for say in said_in_step(case, "MUTANT"))


def tolerates_dup(case):
    return closes_alone(case) and any(
        say.get("raw")[0] & 0xFE == 0x38 for say in said_in_step(case, "MUTANT"))


def tolerates_strange_ack(case):
    return closes_alone(case) and any(
        wire.PUBACK <= say.get("raw")[0] >> 4 <= wire.PUBCOMP
        for say in said_in_step(case, "MUTANT"))


def flags_of_old_connect(case):
    return case.step.act == "open" and case.version == V31 and case.ours != case.theirs and any(
        say.get("raw")[0] & 15 for say in said_in_step(case, "MUTANT"))


def acknowledged_oddly(case):
    """Now, or to what came of an odd acknowledgement before."""
    return only_theirs_closes(case) and bool(case.said("ODD_ACK", by=case.client))


def acknowledged_another(case):
    """The identifier of an odd acknowledgement is that of another message, in another order."""
    return bool(said_in_step(case, "ODD_ACK")) and any(
        ours["id"] != theirs["id"] for ours, theirs in pairs(case, "PUBREL"))


def is_control(byte):
    return byte < 0x20 or byte == 0x7F


def control_characters(case):
    had_nul = any("\\x00" in str(say.fields) for say in intended(case.step))
    return only_theirs_closes(case) and any(
        is_control(say.get("is")) and (had_nul or not is_control(say.get("was")))
        for say in said_in_step(case, "MUTANT"))


def lost_with_connection(case):
    """Mosquitto has not written what it had to say when it closed."""
    if not (is_closed(case.ours) and is_closed(case.theirs)):
        return False
    *_, ours = apart(case.ours[:-1])
    *_, theirs = apart(case.theirs[:-1])
    is_less = len(case.theirs) < len(case.ours)
    if not is_less or ours[: len(theirs)] != theirs:
        return False
    if any(each not in case.ours for each in case.theirs):
        return False
    case.ours = case.theirs
    return True


# Order


def apart(packets):
    """What keeps its order: messages, PUBREL packets, answers; CONNACK and the end in all three."""
    def others(kinds):
        return [each for each in packets if each.kind not in kinds]

    return (
        others((*ANSWERS, "PUBREL")), others((*ANSWERS, "PUBLISH")), others(("PUBLISH", "PUBREL")))


def interleaving(case):
    if apart(case.ours) != apart(case.theirs):
        return False
    case.ours = case.theirs
    return True


def by_subscription(packets):
    """What came for each subscription, in order, and apart from it the others. The names of copies
    are left out: which is the first of them is what differs."""
    streams, others = {}, []
    for each in packets:
        if each.kind == "PUBLISH":
            ids = each["props"].get("subscription_id", ())
            message = {name: value for name, value in each.fields.items() if name != "id"}
            streams.setdefault((each["qos"], each["retain"], *ids), []).append(message)
        elif each.kind != "PUBREL":
            others.append(each)
    return streams, sorted(each["id"] for each in packets if each.kind == "PUBREL"), others


def order_of_copies(case):
    """Only if there are several of a message: messages for one subscription keep their order."""
    texts = [(each["topic"], each["payload"]) for each in publishes(case.ours)]
    if len(set(texts)) == len(texts) or by_subscription(case.ours) != by_subscription(case.theirs):
        return False
    case.ours = case.theirs
    return True


def split(packets, belongs):
    """Those that belong, by their text, and the others as they came."""
    return (
        sorted((each for each in packets if belongs(each)), key=repr),
        [each for each in packets if not belongs(each)])


def order_of_retained(case):
    """When they are asked for or come again. Their PUBREL packets follow them; a window may put a
    message behind another's handshake."""
    def belongs(packet):
        return packet.kind == "PUBREL" or packet.kind == "PUBLISH" and packet["retain"]

    if not subscribes(case) and case.step.act != "open":
        return False
    if split(case.ours, belongs) != split(case.theirs, belongs):
        return False
    case.ours = case.theirs
    return True


def window(case):
    return min(case.agreed("receive_maximum") or WINDOW_MAX, WINDOW_MAX)


def is_window_full(case):
    return any(each.in_flight >= window(case) for each in case.ours + case.theirs)


def waiting_retained(case):
    """When they are asked for, or later, when another of them may come, or a live message."""
    ours, theirs = odd_publishes(case)
    return is_window_full(case) and any(
        each["retain"] and not each["dup"] for each in ours + theirs)


def waiting_copies(case):
    mine, other = odd_publishes(case)
    ours, theirs = (
        {each["payload"] for each in publishes(packets)} for packets in (case.ours, case.theirs))
    odd = mine + other
    return is_window_full(case) and bool(odd) and all(
        each["payload"] in ours and each["payload"] in theirs for each in odd)


def beyond_window(case):
    _, theirs = odd_publishes(case)
    return any(each.in_flight > window(case) for each in theirs)


def blocked_by_failure(case):
    has_failed = any(
        step.act == "ack" and step.reason >= 0x80 for step in case.steps_so_far
        if step.client == case.client)
    ours, theirs = odd_publishes(case)
    return has_failed and bool(ours) and not theirs and all(each["qos"] for each in ours)


def breaks_promise(case):
    """What nightjar must never do to a client, whatever Mosquitto does: too large a packet, too
    many at once, an identifier twice, nonsense, or no answer at all."""
    size_max = case.agreed("maximum_packet_size") or 1 << 28
    return any(
        each.kind in ("UNREADABLE", "SILENCE")
        or each.size > size_max
        or each.in_flight > window(case) or "IN USE" in str(each["id"]) for each in case.ours)


def blocked_by_size(case):
    ours, theirs = odd_publishes(case)
    return bool(case.agreed("maximum_packet_size")) and bool(ours) and not theirs and all(
        each["qos"] for each in ours)


# Who gets what


def has_to_do_with(case, messages):
    """Whether a message that one of the two has and the other has not is one of these, or one that
    these replaced as the retained message of its topic. They are (topic, payload, retain)."""
    payloads = {payload[:PAYLOAD_SHOWN] for _, payload, _ in messages}
    topics = {topic for topic, _, is_retained in messages if is_retained}
    ours, theirs = odd_publishes(case)
    return any(
        each["payload"] in payloads or each["retain"] and topics & {each["topic"], ""}
        for each in ours + theirs)


def terms(says):
    return [(say.get("topic"), say.get("payload"), say.get("retain")) for say in says]


def half_a_handshake(case):
    """Or a whole one of which a byte was changed: its identifier, its topic, its QoS, ..."""
    is_mutant = any(
        say.get("raw")[0] & 0xF6 == wire.PUBLISH << 4 | 4 for say in case.said("MUTANT"))
    return has_to_do_with(case, terms(case.half_handshakes())) or (
        is_mutant and any(odd_publishes(case)))


def reused_identifier(case):
    return has_to_do_with(case, terms(case.sent_while_waiting()))


def wills(case, fits):
    """The wills of clients of which fits(will, steps of the client since its CONNECT) is true."""
    found = []
    for client in {step.client for step in case.steps_so_far}:
        steps = [step for step in case.steps_so_far if step.client == client]
        for at, step in enumerate(steps):
            connect = next(intended(step)) if step.act == "open" else None
            will = connect and connect.get("will")
            if will and fits(will, steps[at:]):
                found.append((will[0], will[1], will[3]))
    return found


def is_delayed(will):
    return bool(len(will) > 4 and will[4].get("will_delay"))


def will_taken_over(case):
    def fits(will, steps):
        return not is_delayed(will) and any(
            first.act != "leave" and then.act == "open" for first, then in zip(steps, steps[1:]))

    return has_to_do_with(case, wills(case, fits))


def will_outlasts_session(case):
    """A delayed will whose session has ended, or ends when the connection does."""
    def fits(will, steps):
        expiry = next(intended(steps[0])).get("session_expiry", 0)
        for step in steps[1:]:
            for say in step.says:
                if say.kind == "DISCONNECT" and expiry:
                    expiry = say.get("session_expiry", expiry)
                if say.kind == "CONNECT" and say.get("clean"):
                    expiry = 0
        return is_delayed(will) and expiry == 0

    return has_to_do_with(case, wills(case, fits))


def is_second_connect(step, say):
    return step.act == "send" and (
        say.get("what") == "a second CONNECT"
        or say.kind == "MUTANT" and say.get("raw")[0] >> 4 == wire.CONNECT)


def session_lost(case):
    """3.1 does not tell the client; it shows in what is missing."""
    has_sent = any(
        is_second_connect(step, say) for step in case.steps_so_far if step.client == case.client
        for say in step.says)
    ours, theirs = odd_publishes(case)
    return has_sent and (bool(ours) and not theirs or any(
        mine["session"] and not other["session"] for mine, other in pairs(case, "CONNACK")))


def will_after_failure(case):
    """Of who left with a reason that says so, or with an expiry that it must not set any more, or
    by another CONNECT."""
    def fits(_, steps):
        had_none = not next(intended(steps[0])).get("session_expiry")
        return any(
            is_second_connect(step, say) or say.kind == "DISCONNECT" and (
                say.get("reason") >= 0x80 or had_none and say.get("session_expiry"))
            for step in steps for say in step.says)

    return has_to_do_with(case, wills(case, fits))


def will_to_who_leaves(case):
    """Mosquitto publishes the will of a connection before it forgets the connection."""
    payloads = {payload[:PAYLOAD_SHOWN] for _, payload, _ in wills(case, lambda *_: True)}
    _, theirs = odd_publishes(case)
    extra = [each for each in theirs if each["payload"] in payloads]
    if not is_closed(case.ours) or not is_closed(case.theirs) or not extra:
        return False
    case.theirs = [each for each in case.theirs if each not in extra]
    return True


OPTIONS_OF_BRIDGES = 0x0C  # No Local and Retain As Published.


def subscriptions(case, steps):
    """(filter, options) that these steps of the client ask for; mutants as they had been."""
    extra = 0
    for step in steps:
        for say in intended(step) if step.client == case.client else ():
            if say.kind == "CONNECT":
                extra = OPTIONS_OF_BRIDGES if say.get("bridge") else 0
            if say.kind == "SUBSCRIBE":
                yield from ((name, options | extra) for name, options in say.get("filters"))


def own_retained(case):
    """In the step that asks for it, or later, when it no longer waits for a window."""
    own = [say.get("payload") for say in case.said("PUBLISH", by=case.client)]
    own += [say.get("will")[1] for say in case.said("CONNECT", by=case.client) if say.get("will")]
    shown = {payload[:PAYLOAD_SHOWN] for payload in own}
    has_no_local = any(options & 4 for _, options in subscriptions(case, case.steps_so_far))
    _, theirs = odd_publishes(case)
    return has_no_local and any(
        each["retain"] and (each["payload"] in shown or case.mutated("PUBLISH")) for each in theirs)


def subscribed_again(case):
    options_of = {}
    for name, options in subscriptions(case, case.steps_so_far):
        options_of.setdefault(name, set()).add(options & 0x0C)
    is_changed = any(len(each) > 1 for each in options_of.values())
    return is_changed and any(odd_publishes(case))


def is_malformed(subscribe, version):
    return any(
        options & 0xC0 or options & 3 == 3 or options & 0x30 == 0x30
        or version != V5 and options > 2 or name in ("", *(ROOT + bad for bad in BAD_FILTERS))
        for name, options in subscribe.get("filters"))


def half_a_subscribe(case):
    """Of the same client, now or earlier."""
    version = None
    for step in case.steps_so_far:
        if step.client == case.client:
            version = step.version if step.act == "open" else version
            is_mutant = any(say.kind == "MUTANT" for say in step.says)
            if any(is_mutant or is_malformed(say, version)
                   for say in intended(step) if say.kind == "SUBSCRIBE"):
                return any(odd_publishes(case))
    return False


def larger_than_allowed(case):
    limit = case.agreed("maximum_packet_size")
    _, theirs = odd_publishes(case)
    return bool(limit) and any(each.size > limit for each in theirs)
