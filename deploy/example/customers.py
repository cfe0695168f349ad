"""Customers of the shop: some ten requests a second until they are stopped."""

import random
import sys
import time

import requests

PAUSE_SECONDS = 0.1


def main(shop: str) -> None:
    """Look at items, and order one in five."""
    session = requests.Session()
    while True:
        time.sleep(random.uniform(0, 2 * PAUSE_SECONDS))
        try:
            if random.random() < 0.2:
                session.post(f"{shop}/orders", timeout=5)
            else:
                session.get(f"{shop}/stock/{random.randrange(100)}", timeout=5)
        except requests.RequestException as fault:
            # The shop starts, or is being replaced by another version.
            print(fault, file=sys.stderr)
            time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1])
