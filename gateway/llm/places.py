"""No tenant takes every place at the models: what it may have in flight is less than an endpoint holds.

Else one tenant's burst fills the queue and the others are turned away with it. Turning away costs nobody a token:
nothing has been sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import ModelError


class TenantPlaces:
    """Counts the questions of each tenant that run or wait. Used from one event loop.

    Args:
        most: Most of one tenant at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[str] = Counter()

    @contextmanager
    def hold(self, tenant: str) -> Iterator[None]:
        """Hold a place for the block.

        Raises:
            ModelError: ``model_busy``: the tenant has as many in flight as it may.
        """
        if self._inside[tenant] >= self._most:
            msg = "too many questions of this tenant wait for the model"
            raise ModelError(msg, code="model_busy", stage="plan")
        self._inside[tenant] += 1
        try:
            yield
        finally:
            self._inside[tenant] -= 1
            if not self._inside[tenant]:
                del self._inside[tenant]
