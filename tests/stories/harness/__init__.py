"""What every story needs to run real peers: processes, ports, senders and readings of a scrape."""
