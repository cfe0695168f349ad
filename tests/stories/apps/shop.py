"""A small Flask shop that knows nothing of telemetry: the SDK comes from outside, as users add it.

Only its own logger is opened up to DEBUG, so that the log records of the libraries below it (the
exporter's connection pool logs at DEBUG too) do not join the count.
"""

import logging
import os
import time

import flask
import requests

SLOW_SECONDS = 0.03

app = flask.Flask("shop")
log = logging.getLogger("shop")
log.setLevel(logging.DEBUG)


@app.after_request
def name_worker(response: flask.Response) -> flask.Response:
    """Tell which worker answered, so that a story can see that all of them took part."""
    response.headers["X-Worker"] = str(os.getpid())
    return response


@app.route("/")
def home() -> str:
    """Log once at each of four levels."""
    log.debug("rendering the start page")
    log.info("\x1b[32mserved\x1b[0m the start page")
    log.warning("the stock is %s", "low")
    log.critical("the till is on fire")
    return "shop"


@app.route("/items/<int:item_id>")
def item(item_id: int) -> dict[str, int]:
    """Answer with a body that depends on the path, so that the route has many targets."""
    return {"item": item_id}


@app.route("/slow")
def slow() -> str:
    """Take longer than the 25 ms bucket holds."""
    time.sleep(SLOW_SECONDS)
    return "done"


@app.route("/checkout")
def checkout() -> dict[str, int]:
    """Call the shop itself over HTTP: one CLIENT span and the SERVER span that it causes."""
    answer = requests.get(f"{flask.request.host_url}items/1", timeout=10)
    return {"status": answer.status_code}


@app.route("/boom")
def boom() -> str:
    """Fail as a bug does: Flask logs the exception at ERROR and answers 500."""
    raise RuntimeError("no such shelf")
