"""Waiting on conditions with a deadline: the only place of the stories that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

# Short beside anything that is waited for, long enough to leave the two cores to the peers.
POLL_SECONDS = 0.05


def eventually(condition: Callable[[], T], what: str, seconds: float = 15.0) -> T:
    """Call `condition` until it returns something true, and return that.

    An exception of a kind that a peer still starting up causes (refused, reset, timed out: all
    `OSError`, as those of `requests` are) counts as "not yet". Past the deadline the test fails and
    says what it waited for.
    """
    deadline = time.monotonic() + seconds
    last: object = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except OSError as fault:
            last = fault
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain until {what}; last: {last!r}")
        time.sleep(POLL_SECONDS)


def every(interval_seconds: float, seconds: float) -> Iterator[int]:
    """Yield 0, 1, 2 … at a steady pace for so long: for traffic whose rate is part of the story.

    A late turn is followed by the next at once, so the number of turns is always the same.
    """
    started = time.monotonic()
    for turn in range(round(seconds / interval_seconds)):
        ahead = started + turn * interval_seconds - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        yield turn
