"""A small shop that knows nothing of telemetry: the SDK comes from outside, as users add it.

FAULTY=1 makes a tenth of the orders fail: the version to try an alert with.
"""

import logging
import os
import random
import time

import flask

FAULTY_SHARE = 0.1

app = flask.Flask("shop")
log = logging.getLogger("shop")


@app.route("/stock/<int:item>")
def stock(item: int) -> dict[str, int]:
    """What is left of an item."""
    time.sleep(random.uniform(0.001, 0.02))
    return {"item": item, "left": item % 7}


@app.route("/orders", methods=["POST"])
def order() -> dict[str, bool]:
    """Take an order; a faulty version loses some."""
    time.sleep(random.uniform(0.005, 0.05))
    if os.environ.get("FAULTY") == "1" and random.random() < FAULTY_SHARE:
        log.error("the till does not answer")
        raise RuntimeError("the till does not answer")
    return {"taken": True}
