"""Named encodings and spellings of a value, each read back before it is scanned: what none of them may carry out."""

from __future__ import annotations

import base64
import html
from urllib.parse import quote

import pytest

from redaction import spelling_tables as tables
from redaction.errors import QuestionRefused
from redaction.mask import mask
from redaction.scan import Scanner

SCANNER = Scanner()
EMAIL = "ada.byron@lovelace.example"
NAME = "maria gonzalez"
CARD = "4111111111111111"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MORSE = {letter: code for code, letter in tables.MORSE.items()}
BRAILLE = {letter: sign for sign, letter in tables.BRAILLE.items()}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def each(text: str, form: str, joint: str = "") -> str:
    return joint.join(form.format(byte) for byte in text.encode())


def marked(text: str, marks: str) -> str:
    return "".join(letter + marks for letter in text)


def morse(text: str) -> str:
    return " / ".join(" ".join(MORSE[letter] for letter in word) for word in text.split())


BY_FOUR = " ".join(encoded(EMAIL)[at : at + 4] for at in range(0, 36, 4))
DISGUISED = {
    # What is typed, and what of it must not be left.
    "percent_of_base64": (quote(encoded(EMAIL), safe=""), "YWRh"),
    "percent_twice": (quote(quote(EMAIL, safe=""), safe=""), "lovelace"),
    "percent_three_times": (quote(quote(quote(EMAIL, safe=""), safe=""), safe=""), "lovelace"),
    "base64_of_percent": (encoded(quote(EMAIL, safe="")), encoded(quote(EMAIL, safe=""))[4:16]),
    "base64_twice": (encoded(encoded(EMAIL)), encoded(encoded(EMAIL))[4:16]),
    "base64_of_hex": (encoded(EMAIL.encode().hex()), encoded(EMAIL.encode().hex())[4:16]),
    "base64_in_groups_of_four": (BY_FOUR, encoded(EMAIL)[16:20]),
    "base64_on_two_lines": (f"{encoded(EMAIL)[:14]}\n{encoded(EMAIL)[14:]}", encoded(EMAIL)[14:24]),
    "base32": (base64.b32encode(EMAIL.encode()).decode(), base64.b32encode(EMAIL.encode()).decode()[8:20]),
    "hex_with_prefixes": (each(EMAIL, "{:#x}", " "), "0x6c 0x6f"),
    "hex_with_commas": (each(EMAIL, "{:02x}", ","), "6c,6f"),
    "decimal_codes": (each(EMAIL, "{}", " "), "108 111 118"),
    "decimal_codes_with_commas": (each(EMAIL, "{}", ", "), "108, 111, 118"),
    "binary": (each(EMAIL, "{:08b}", " "), "01101100 01101111"),
    "octal_escapes": (each(EMAIL, "\\{:03o}"), "154\\157"),
    "quoted_printable": (each(EMAIL, "={:02X}"), "=6C=6F"),
    "quoted_printable_sign": (EMAIL.replace("@", "=40"), "lovelace"),
    "html_named_entities": ("ada.byron&commat;lovelace&period;example", "lovelace"),
    "html_entity_without_semicolon": (EMAIL.replace("@", "&#64"), "lovelace"),
    "html_entity_with_zeros": (EMAIL.replace("@", "&#0000064;"), "lovelace"),
    "html_entity_of_an_entity": (EMAIL.replace("@", html.escape("&#64;")), "lovelace"),
    "unicode_escape_in_braces": (EMAIL.replace("@", "\\u{40}"), "lovelace"),
    "unicode_escape_of_eight": (EMAIL.replace("@", "\\U00000040"), "lovelace"),
    "unicode_code_point": (EMAIL.replace("@", " U+0040 "), "lovelace"),
    "morse_email": (morse(EMAIL), ".-.. ---"),
    "morse_name": (morse(NAME), "--.. .-"),
    "braille_email": ("".join(BRAILLE[c] for c in EMAIL), "\u2807\u2815"),
    "braille_name": ("".join(BRAILLE.get(c, c) for c in NAME), "\u281b\u2815"),
    "marks_above_and_below": (marked(NAME, "\u0336\u0307"), "\u017c"),
    "stroke_through": (marked(EMAIL, "\u0336"), "lovelace"),
    "keycaps": (marked(CARD, "\u20e3"), "1111"),
    "keycap_emoji": (marked(CARD, "\ufe0f\u20e3"), "1111"),
    "regional_indicators": (
        "".join(chr(0x1F1E6 + LETTERS.index(c)) if c in LETTERS else c for c in EMAIL),
        "\U0001f1f1\U0001f1f4",
    ),
    "ideographic_full_stop": ("ada.byron\uff20lovelace\u3002example", "example"),
    "leet_name": ("m4r14 g0nz4l3z", "g0nz4l3z"),
    "camel_case_name": ("MariaGonzalez", "Gonzalez"),
    "name_with_dots": ("m.a.r.i.a g.o.n.z.a.l.e.z", "z.a.l.e.z"),
    "name_with_hyphens": ("m-a-r-i-a g-o-n-z-a-l-e-z", "z-a-l-e-z"),
    "name_with_stars": ("m*a*r*i*a g*o*n*z*a*l*e*z", "z*a*l*e*z"),
    "email_letter_by_letter_with_dots": (".".join("ada@lovelace.example"), "l.o.v.e"),
    "email_spelling_alphabet": ("ada at lima oscar victor echo lima alfa charlie echo dot example", "victor"),
    "email_words_in_underscores": ("ada_at_lovelace_dot_example", "lovelace"),
    "email_words_in_hyphens": ("ada-at-lovelace-dot-com", "lovelace"),
    "email_words_in_stars": ("ada *at* lovelace *dot* example", "lovelace"),
    "email_words_in_angles": ("ada <at> lovelace <dot> example", "lovelace"),
    "email_a_in_parentheses": ("ada.byron(a)lovelace.example", "lovelace"),
    "email_german_words": ("ada klammeraffe lovelace punkt de", "lovelace"),
    "email_french_words": ("ada arobase lovelace point fr", "lovelace"),
    "email_spanish_words": ("ada arroba lovelace punto es", "lovelace"),
    "email_quoted_local_part": ('"ada byron"@lovelace.example', "lovelace"),
    "email_on_two_lines": ("ada.byron\n@lovelace.example", "lovelace"),
    "card_german_words": ("vier" + " eins" * 15, "eins eins"),
    "card_french_words": ("quatre" + " un" * 15, "un un"),
    "card_spanish_words": ("cuatro" + " uno" * 15, "uno uno"),
    "card_words_and_digits": ("four 1" + " one 1" * 7, "one 1 one"),
    "card_words_run_together": ("four" + "one" * 15, "oneone"),
    "card_in_tens": ("forty-one" + " eleven" * 7, "eleven eleven"),
    "phone_double_and_triple": ("two one two, triple five, oh one double two", "triple"),
    "phone_plus_in_words": ("plus four four two zero seven nine four six zero nine five eight", "seven nine"),
    "card_with_letters_for_digits": ("4O12 8888 8888 l88l", "8888"),
    "card_on_four_lines": ("4111\n1111\n1111\n1111", "1111"),
    "card_in_four_cells": ("4111\t1111\t1111\t1111", "1111"),
    "card_as_a_sum": ("4111+1111+1111+1111", "1111"),
    "card_with_en_dashes": ("4111\u20131111\u20131111\u20131111", "1111"),
    "card_with_bullets": ("4111\u20221111\u20221111\u20221111", "1111"),
    "card_with_middle_dots": ("4111\u00b71111\u00b71111\u00b71111", "1111"),
    "card_as_thousands": ("4,111,111,111,111,111", "111,111"),
    "ip_defanged": ("203[.]0[.]113[.]77", "113"),
    "ip_dot_words": ("203 dot 0 dot 113 dot 77", "113"),
    "ip_spaced": ("203 . 0 . 113 . 77", "113"),
    "key_cut_in_two": ("sk-proj-Zx81 Kq02Lm55Pq90", "Zx81"),
}


@pytest.mark.parametrize(("typed", "canary"), DISGUISED.values(), ids=list(DISGUISED))
def test_a_disguise_does_not_carry_it_out(typed: str, canary: str) -> None:
    """The question is refused, or the masked text has nothing of it, as typed or as read."""
    try:
        left = mask(f"orders of {typed} by month", SCANNER).text
    except QuestionRefused:
        return
    assert canary not in left
    assert "lovelace" not in left
    assert left.endswith("by month")


@pytest.mark.parametrize(
    "question",
    [
        "orders over 97, 100, 105 and 110 by month",
        "bins 65, 70, 75, 80, 85, 90, 95, 100, 105",
        "flags 10101 and 01010 per device",
        "share of 50% off and 20%off coupons",
        "R&D cost &amp; marketing by quarter",
        "revenue = price x units, a/b/c tests",
        "one or two or three charts of four regions",
        "1 - 2 - 3 step funnel, A - B - C",
        "sales at the point of sale per store",
        "golf, hotel, india and tango segments",
        "k8s and s3 cost in q4, b2b vs b2c",
        "temperature -5 .. 20 degrees",
        "U+2 growth and 3x targets, 5+5+5 offers",
        "twenty one stores against thirty two stores in 2024",
        "2020 – 2021 – 2022 and 2023",
        "120\n250\n310\n4000",
        "iPhone, LinkedIn, YouTube and PayPal users",
    ],
)
def test_what_only_looks_like_a_disguise_is_left(question: str) -> None:
    """The control: lists of numbers, mark-up and trade words are read as they are."""
    assert mask(question, SCANNER).text == question
