"""Errors of the prompt side. A leaf package's own: `gateway.pipeline` maps them. Messages name things, never values.

PromptError            the prompt cannot be built
  + TemplateInvalid    a template file is missing, or interpolates what is not a released value
  + EncodingMissing    the token encoding is not on this machine; it is never fetched
  + BudgetTooSmall     the instructions and the question alone are larger than the budget
  + NoteInvalid        a repair note holds something that is neither a code, a path nor a name
"""

from __future__ import annotations


class PromptError(Exception):
    """The prompt cannot be built, so nothing is sent."""


class TemplateInvalid(PromptError):  # noqa: N818 - named as the fact
    """A template is missing, malformed, or interpolates something that is not a released value."""


class EncodingMissing(PromptError):  # noqa: N818
    """The token encoding is not installed. The message says how to get it; nothing is fetched."""


class BudgetTooSmall(PromptError):  # noqa: N818
    """The instructions and the question alone do not fit the budget."""


class NoteInvalid(PromptError):  # noqa: N818
    """A repair note holds something that is neither a code, a path nor a name."""
