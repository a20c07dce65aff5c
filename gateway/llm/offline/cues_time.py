"""Patterns of grains and parts of dates: ``by month``, ``weekly``, ``day of the week``."""

from __future__ import annotations

import re
from typing import Final, Literal


def _p(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


TIME_CUES: Final[tuple[tuple[Literal["part", "grain"], str, re.Pattern[str]], ...]] = (
    (
        "part",
        "hour_of_day",
        _p(
            r"\b(?:by |per |each |for each )?(?:the )?(?:hours? of (?:the )?day|time of (?:the )?day|"
            r"hour of day)\b|\b(?:by|per|each) hour\b|(?<=weekday and )hours?\b|(?<=day and )hours?\b"
        ),
    ),
    (
        "part",
        "month_of_year",
        _p(
            r"\b(?:by |per |each |for each )?(?:the )?(?:months? of (?:the )?year|calendar month)\b|"
            r"\bseasonal(?:ity|ly)?\b"
        ),
    ),
    ("part", "quarter_of_year", _p(r"\b(?:by |per |each |for each )?quarters? of (?:the )?year\b")),
    ("part", "day_of_month", _p(r"\b(?:by |per |each |for each )?days? of (?:the )?month\b")),
    ("grain", "hour", _p(r"\bhourly\b|\bhour[- ]by[- ]hour\b")),
    (
        "grain",
        "day",
        _p(
            r"\b(?:which|what) days?\b|(?<=and )day\b(?! of)|(?<=, )day\b(?! of)|\b(?:by|per|each|every|"
            r"for each) (?:calendar )?(?:day|date)\b|\bdaily\b|\bday[- ]by[- ]day\b|"
            r"\bon a daily basis\b|\beach day\b"
        ),
    ),
    (
        "grain",
        "week",
        _p(
            r"\b(?:which|what) weeks?\b|"
            r"(?<=and )week\b(?! of)|(?<=, )week\b(?! of)|\b(?:by|per|each|every|for each) week\b|"
            r"\bweekly\b|\bweek[- ]by[- ]week\b|\bover (?:the )?weeks\b"
        ),
    ),
    (
        "grain",
        "month",
        _p(
            r"\b(?:which|what) months?\b|"
            r"(?<=and )month\b(?! of)|(?<=, )month\b(?! of)|\b(?:by|per|each|every|for each|in each|"
            r"across) (?:calendar )?months?\b|\bmonthly\b|\bmonth[- ]by[- ]month\b|"
            r"\bover (?:the )?months\b|\bby the month\b"
        ),
    ),
    (
        "grain",
        "quarter",
        _p(
            r"\b(?:which|what) quarters?\b|"
            r"(?<=and )quarter\b(?! of)|(?<=, )quarter\b(?! of)|\b(?:by|per|each|every|for each|"
            r"in each|across) (?:calendar )?quarters?\b|\bquarterly\b|\bquarter[- ]by[- ]quarter\b"
        ),
    ),
    (
        "grain",
        "year",
        _p(
            r"\b(?:which|what) years?\b|"
            r"(?<=and )year\b(?! of)|(?<=, )year\b(?! of)|\b(?:by|per|each|every|for each|in each|"
            r"across) (?:calendar )?(?:the )?years?\b|\byearly\b|\bannual(?:ly)?\b|"
            r"\byear[- ]by[- ]year\b|\bover the years\b"
        ),
    ),
)
