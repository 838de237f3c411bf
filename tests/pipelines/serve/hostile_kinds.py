"""The kinds of hostile requests: what sends each, and with what the server may answer it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Callable

import hostile_bodies as bodies
import hostile_heads as heads
import hostile_senders as senders
from hostile_bodies import Material
from server_process import Exchange, post

# What may be said to any: it came too slowly while others waited, or there is no room now.
BUSY = {"408", "429", "503"}

Attack = Callable[[int, Random, Material], Exchange]


@dataclass(frozen=True)
class Kind:
    name: str
    statuses: set[str]  # beside BUSY
    attack: Attack
    weight: int = 10  # how often it comes beside the others
    least: int = 0  # answers
    most: int = 1
    is_exact: bool = False  # 200 comes with what was said of that picture before


def message(name: str, statuses: str, make: Callable[[Random, Material], bytes], **more: object) -> Kind:
    def attack(port: int, random: Random, material: Material) -> Exchange:
        return senders.whole(port, make(random, material))

    return Kind(name, set(statuses.split()), attack, least=1, **more)


def body(name: str, statuses: str, make: Callable[[Random, Material], bytes], *lines: str,
         target: str = "/predict", **more: object) -> Kind:
    def posted(random: Random, material: Material) -> bytes:
        return post(target, make(random, material), *lines)

    return message(name, statuses, posted, **more)


def sender(name: str, statuses: str, attack: Attack, **more: object) -> Kind:
    return Kind(name, set(statuses.split()), attack, **more)


def kinds(infer: str) -> list[Kind]:
    """`infer`: the path of the model's inference."""
    return [
        body("picture, broken", "200 413 422", bodies.broken_picture, weight=60),
        body("picture, vast", "200 413 422", bodies.vast_picture),
        body("picture, packed", "422", bodies.packed, weight=3),
        body("picture, said to be packed", "415", bodies.packed, "Content-Encoding: gzip", weight=3),
        body("form, good", "200", bodies.good_form, bodies.FORM),
        body("form of broken pictures", "200 413", bodies.form_of_broken, bodies.FORM),
        body("form, spoilt", "400", bodies.spoilt_form, bodies.FORM, weight=30),
        body("form without a boundary", "400", bodies.good_form, "Content-Type: multipart/form-data"),
        body("form of long names", "200 413", bodies.form_of_names, bodies.FORM, weight=6),
        body("infer, good", "200", bodies.good_infer, target=infer),
        body("infer, many", "200", bodies.infer_of_many, target=infer, weight=2),
        body("infer, too many", "400 413", bodies.infer_of_more, target=infer, weight=6),
        body("infer, spoilt", "400", bodies.spoilt_infer, target=infer, weight=50),
        body("infer, 5 MB of digits", "400 413", bodies.digits, target=infer, weight=3),
        message("long target", "414 431", heads.long_target),
        message("large head", "431", heads.large_head),
        message("no request", "400 501 505", heads.no_request),
        message("bad line in the head", "400", heads.bad_line, weight=20),
        message("bad Host", "400", heads.bad_host),
        message("bare line feeds", "200 400", heads.bare_line_feeds, weight=1),
        message("bad Content-Length", "400 413", heads.bad_length, weight=20),
        message("vast Content-Length", "400 413", heads.vast_length),
        message("bad name of a length", "400", heads.bad_name_of_length),
        message("chunked", "400 411 501", heads.chunked),
        message("unknown method", "405 501", heads.unknown_method),
        message("other method", "405 501", heads.other_method),
        message("no such target", "400 404", heads.no_such_target),
        message("bad parameter", "400", heads.bad_parameter),
        message("ranges and codings", "200", heads.ranges, is_exact=True),
        message("HTTP/1.0", "200", heads.old_version, is_exact=True),
        message("absolute target", "200", heads.absolute_target, weight=3),
        message("blank line first", "200", heads.blank_line_first, weight=3),
        message("same Content-Length twice", "200 400", heads.same_length_twice, weight=3, is_exact=True),
        message("query of many", "200", heads.query_of_many, weight=3),
        sender("HEAD", "200", senders.no_body, weight=3),
        sender("cut off, closed", "", senders.cut_off, weight=20),
        sender("cut off, half-closed", "400", senders.half_closed, weight=20),
        sender("whole, half-closed", "200", senders.half_closed_whole, is_exact=True),
        sender("whole, dropped", "", senders.dropped, weight=20),
        sender("slow head", "", senders.slow_head, weight=2),
        sender("slow body", "", senders.slow_body, weight=2),
        sender("silent body", "413", senders.silent_body, weight=2),
        sender("never reads", "", senders.never_reads, weight=2),
        sender("gigabyte, 100 MB sent", "413", senders.vast_body, weight=2),
        sender("Expect", "200", senders.expects, is_exact=True),
        sender("Expect of HTTP/1.0", "200", senders.expects_of_old, weight=3, is_exact=True),
        sender("Connection: Close", "200", senders.closes, is_exact=True),
        sender("pipelined", "200", senders.pipelined, most=5, is_exact=True),
        sender("idle by hundreds", "", senders.idle, weight=1),
        sender("crowd", "200", senders.crowd, weight=1, is_exact=True),
        sender("flood", "200 413", senders.flood, weight=1),
        sender("opened and dropped", "", senders.opened_and_dropped, weight=1),
        sender("no HTTP", "400 431", senders.no_http, weight=2),
    ]
