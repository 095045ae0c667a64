"""Where nightjar and Mosquitto 2.0.11 may differ, and who is right by the specification.

A row's condition says whether it knows the difference of a Case; see conditions.py. A row that ends
the script is for differences after which the brokers are in different states: nothing that comes
later could be compared. What no row explains, fails.

Statements are those of MQTT 5 unless said otherwise.
"""

import dataclasses
from collections.abc import Callable

import conditions

NIGHTJAR, MOSQUITTO, BOTH = "nightjar", "Mosquitto", "both"


@dataclasses.dataclass(frozen=True)
class Difference:
    name: str
    right: str
    why: str
    applies: Callable
    ends_script: bool = False


def row(name, right, condition, why):
    return Difference(name, right, why, condition)


def last(name, right, condition, why):
    """A row that ends the script."""
    return Difference(name, right, why, condition, ends_script=True)


# Their order matters where two could explain the same: the more particular one is first.
DIFFERENCES = (
    # Answers.
    row("reason in words", BOTH, conditions.reason_strings,
        "A reason string is the server's to give, unless the client wants none [MQTT-3.1.2-29]."),
    row("no matching subscribers", BOTH, conditions.no_subscribers,
        "A server MAY say 0x10 instead of success (3.4.2.1, 3.5.2.1)."),
    row("unknown packet identifier", NIGHTJAR, conditions.unknown_identifier,
        "0x92 is for an identifier that is not known (3.6.2.1, 3.7.2.1); Mosquitto says success."),
    row("no subscription existed", NIGHTJAR, conditions.no_subscription,
        "0x11 says so (3.11.3); Mosquitto says success where it knows no topic of that beginning."),
    last("packet identifier in use", BOTH, conditions.identifier_in_use,
         "A client MUST NOT use it for anything else [MQTT-2.2.1-3]; nightjar refuses with 0x91."),
    last("CONNACK too large for Mosquitto alone", BOTH, conditions.their_connack_too_large,
         "Mosquitto makes longer client ids; what exceeds Maximum Packet Size MUST NOT be sent."),
    row("properties of CONNACK", BOTH, conditions.connack_properties,
        "nightjar says what it lacks; Mosquitto has a longest keep alive for who wants none."),

    # The end of a connection.
    last("session after a second CONNECT", NIGHTJAR, conditions.session_lost,
         "That closes the connection [MQTT-3.1.0-2]; Mosquitto ends the session as well."),
    last("packets that only servers send", NIGHTJAR, conditions.tolerates_packet_of_server,
         "A protocol violation closes the connection (4.13.1; [MQTT-4.8.0-1] of 3.1.1)."),
    last("no filter in MQTT 3.1", BOTH, conditions.tolerates_no_filter,
         "3.1 is silent; its successors call for closing [MQTT-3.8.3-2] [MQTT-3.10.3-2]."),
    last("subscription identifier from a client", NIGHTJAR, conditions.tolerates_subscription_id,
         "A client's PUBLISH must not have one [MQTT-3.3.4-6]."),
    last("payload format that is none", BOTH, conditions.tolerates_payload_format,
         "0 and 1 are all that is defined (3.3.2.3.2); what to do about others is not said."),
    last("response topic that is no topic name", NIGHTJAR, conditions.tolerates_response_topic,
         "It has at least one character and no wildcard [MQTT-4.7.3-1] [MQTT-3.3.2-14]."),
    last("not UTF-8 in MQTT 3.1", NIGHTJAR, conditions.tolerates_text,
         "Strings are UTF-8 (2.5 of 3.1)."),
    last("DUP with QoS 0", NIGHTJAR, conditions.tolerates_dup,
         "It MUST be 0 [MQTT-3.3.1-2]."),
    last("acknowledgement that is none", NIGHTJAR, conditions.tolerates_strange_ack,
         "Bytes that belong to nothing make a packet malformed (2.1.4, 3.4)."),
    last("flags of CONNECT in MQTT 3.1", BOTH, conditions.flags_of_old_connect,
         "3.1 calls them unused; its successors call for closing [MQTT-2.2.2-2]."),
    last("acknowledgement of another kind", BOTH, conditions.acknowledged_oddly,
         "PUBREC for QoS 1 and the like: Mosquitto closes, nightjar says 0x92 or ignores it."),
    last("acknowledgement of another message", BOTH, conditions.acknowledged_another,
         "Where nothing orders messages, nothing says which of them has which identifier."),
    last("control characters", BOTH, conditions.control_characters,
         "A receiver MAY refuse them (1.5.4)."),
    row("refusal said in CONNACK", BOTH, conditions.refusal_in_connack,
        "A server MAY say why before it closes [MQTT-3.1.4-2]; Mosquitto often does not."),
    row("refusal in silence", NIGHTJAR, conditions.refusal_in_silence,
        "A malformed CONNECT gets no CONNACK before MQTT 5 ([MQTT-3.1.4-1] of 3.1.1)."),
    row("reason said before closing", BOTH, conditions.said_why,
        "A server SHOULD say why in DISCONNECT (4.13.1); Mosquitto often does not."),
    row("reason of DISCONNECT", NIGHTJAR, conditions.disconnect_reason,
        "Where the specification names a reason, nightjar gives it."),
    row("lost with the connection", BOTH, conditions.lost_with_connection,
        "Nothing promises that what was said before a connection is closed for an error arrives."),

    # Who gets what.
    last("half a QoS 2 handshake", BOTH, conditions.half_a_handshake,
         "Passed on at PUBLISH, or at PUBREL as Mosquitto does: methods B and A of 4.3.3."),
    last("QoS 2 identifier used again", NIGHTJAR, conditions.reused_identifier,
         "Until PUBREL it is the same message, not to be passed on again [MQTT-4.3.3-10]."),
    last("the start of a malformed SUBSCRIBE", NIGHTJAR, conditions.half_a_subscribe,
         "All it may do is close (4.13.1); Mosquitto subscribes to the filters that came first."),
    last("subscribed again with other options", NIGHTJAR, conditions.subscribed_again,
         "A new subscription replaces the old one [MQTT-3.8.4-3]; Mosquitto keeps the old one's No "
         "Local and Retain As Published."),
    last("own retained message and No Local", NIGHTJAR, conditions.own_retained,
         "No Local keeps a client's own messages from it, retained ones too [MQTT-3.8.3-3]."),
    row("will to who leaves", BOTH, conditions.will_to_who_leaves,
        "Whether a connection that is being closed still gets its own will is not said."),
    last("will of a connection that is taken over", NIGHTJAR, conditions.will_taken_over,
         "It is published as at any other end of a connection (3.1.4, [MQTT-3.1.2-8])."),
    last("delayed will at the end of a session", NIGHTJAR, conditions.will_outlasts_session,
         "It is due when its session ends, however long its delay [MQTT-3.1.3-9]."),
    last("will after a failure", NIGHTJAR, conditions.will_after_failure,
         "Only 0x00 discards it [MQTT-3.14.4-3]; Mosquitto does for all but 0x04, and for errors."),
    last("larger than Maximum Packet Size", NIGHTJAR, conditions.larger_than_allowed,
         "A server MUST NOT send it [MQTT-3.1.2-24]; Mosquitto counts a few bytes too few."),
    last("behind a message that was too large", NIGHTJAR, conditions.blocked_by_size,
         "That one counts as sent [MQTT-3.1.2-25]; Mosquitto waits for its acknowledgement."),

    last("behind a message that was refused", NIGHTJAR, conditions.blocked_by_failure,
         "PUBREC with a failure ends a message and opens the window [MQTT-4.9.0-2]."),
    last("more than Receive Maximum", NIGHTJAR, conditions.beyond_window,
         "A server MUST NOT send more, and not on resumption either [MQTT-3.3.4-9]."),

    # Order.
    row("order of copies", BOTH, conditions.order_of_copies,
        "Nothing orders the copies that several subscriptions of a client get."),
    row("order of retained messages", BOTH, conditions.order_of_retained,
        "Nothing orders the retained messages of several topics."),
    last("retained messages that wait", BOTH, conditions.waiting_retained,
         "In another order, others wait for a small window; nightjar sends live messages first."),
    last("copies that wait", BOTH, conditions.waiting_copies,
         "In another order, others are the ones that wait for a small window."),
    row("order of answers and messages", BOTH, conditions.interleaving,
        "Each keeps its order, but nothing orders an answer and a message to the same client."),
)
