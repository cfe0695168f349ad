"""A rehearsal against the rules themselves: it must say what they do, on real Prometheus servers.

One set of histories is written three times: as records for `redora slo rehearse --history`, as
samples that a real Prometheus serves, and as series of a promtool test of the committed rules. What
is rehearsed becomes the expectation of that test, to one evaluation. The histories cross their
thresholds steeply: where a burn creeps past one, the extrapolation of `increase` decides on some
minutes, and versions of Prometheus differ in it among themselves.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Tools
from harness.process import Process, clean_environment, free_ports
from harness.prometheus import Flavour, Prometheus
from harness.waiting import eventually

# A full hour, so that the six minutes of the rules begin where those of promtool's epoch do.
BEGINS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
MINUTES = 240
SCRAPE = 30
UNTIL = datetime.fromtimestamp(BEGINS + 60 * MINUTES, UTC).isoformat()
TIERS = ("1h", "6h", "1d", "3d")


@dataclass(frozen=True)
class History:
    """Minutes with so many good and bad events each, `None` where nobody scrapes; then calm."""

    service: str
    parts: list[tuple[int, int | None, int]]
    days: int = 30
    goal: str = "0.999"
    tickets: bool = True

    def minutes(self) -> Iterator[tuple[int | None, int]]:
        """Each minute, up to the end."""
        told = 0
        for length, good, bad in self.parts:
            told += length
            yield from [(good, bad)] * length
        yield from [(self.parts[0][1], 0)] * (MINUTES - told)

    @property
    def known(self) -> bool:
        """Whether it was scraped all the time."""
        return all(good is not None for _, good, _ in self.parts)


HISTORIES = [
    History("all", [(90, 600, 0), (30, 0, 600)]),
    History("fifth", [(90, 600, 0), (60, 480, 120)]),
    History("twentieth", [(90, 600, 0), (80, 570, 30)]),
    History("blip", [(90, 600, 0), (1, 560, 40)]),
    History("calm", [(90, 1, 0), (3, 0, 1)]),
    History("two", [(90, 1, 0), (2, 0, 1)]),
    History("idle", [(30, 600, 0), (60, 0, 0), (10, 0, 60), (40, 0, 0), (1, 6, 60)]),
    History("kept", [(90, 600, 0), (20, 480, 120), (7, 600, 0), (10, 480, 120)]),
    History("again", [(90, 600, 0), (20, 480, 120), (60, 600, 0), (10, 480, 120)]),
    History("four-weeks", [(90, 10_000, 0), (80, 9_861, 139)], days=28),
    History("month", [(90, 10_000, 0), (80, 9_861, 139)]),
    History("loose", [(90, 600, 0), (60, 480, 120)], goal="0.98", days=7),
    History("pages", [(90, 600, 0), (60, 480, 120)], tickets=False),
    History("slow", [(90, 990, 10)]),
    History("down", [(90, 600, 0), (20, 300, 300), (45, None, 0)]),
]


def records(path: Path) -> None:
    """The histories as lines, mixed as an export would have them."""
    told = [(one, list(one.minutes())) for one in HISTORIES if one.known]
    with path.open("w") as out:
        for minute in range(MINUTES):
            at = datetime.fromtimestamp(BEGINS + 60 * minute, UTC).isoformat()
            for one, minutes in told:
                good, bad = minutes[minute]
                out.write(
                    json.dumps(
                        {"at": at, "service": one.service, "slo": "up", "good": good, "bad": bad}
                    )
                    + "\n"
                )


def samples(one: History) -> dict[str, list[float | None]]:
    """The values of each series at each scrape, as an agent that was there from the start says."""
    good, bad = [0.0], [0.0]
    each = 60 // SCRAPE
    seen: list[bool] = [True]
    for minute_good, minute_bad in one.minutes():
        for _ in range(each):
            good.append(good[-1] + (minute_good or 0) / each)
            bad.append(bad[-1] + minute_bad / each)
            seen.append(minute_good is not None)

    def told(values: list[float]) -> list[float | None]:
        return [value if is_seen else None for value, is_seen in zip(values, seen, strict=True)]

    label = f'service="{one.service}",slo="up"'
    same = [1.0] * len(seen)
    return {
        f'redora_slo_events_total{{{label},outcome="good"}}': told(good),
        f'redora_slo_events_total{{{label},outcome="bad"}}': told(bad),
        f"redora_slo_objective_ratio{{{label}}}": told([float(one.goal)] * len(seen)),
        f"redora_slo_window_seconds{{{label}}}": told([one.days * 86_400.0] * len(seen)),
        f'redora_slo_tier_enabled{{{label},tier="page"}}': told(same),
        f'redora_slo_tier_enabled{{{label},tier="ticket"}}': told([float(one.tickets)] * len(seen)),
    }


def openmetrics(path: Path) -> None:
    """The histories as samples with their times."""
    families: dict[str, list[str]] = {}
    for one in HISTORIES:
        for series, values in samples(one).items():
            lines = families.setdefault(series.partition("{")[0], [])
            lines += [
                f"{series} {value} {BEGINS + SCRAPE * at}"
                for at, value in enumerate(values)
                if value is not None
            ]
    with path.open("w") as out:
        for name, lines in families.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            out.write(f"# TYPE {name.removesuffix('_total')} {kind}\n")
            out.write("\n".join(lines) + "\n")
        out.write("# EOF\n")


def promtool_values(values: list[float | None]) -> str:
    """Values as promtool takes them."""
    return " ".join("_" if value is None else f"{value:g}" for value in values)


def minute_of(at_ms: int) -> int:
    """A moment as minutes after promtool's epoch."""
    return (at_ms // 1000 - BEGINS) // 60


def expectations(service: str, firings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """That alerts fire when they were rehearsed to fire, and at no other time."""
    tests: list[dict[str, Any]] = []

    def expect(expression: str, minute: int, value: float) -> None:
        tests.append(
            {
                "expr": expression,
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": value}],
            }
        )

    for tier in TIERS:
        own = [one for one in firings if one["tier"] == tier]
        alerts = (
            f'ALERTS{{alertname="RedoraSloBurn",alertstate="firing",service="{service}",'
            f'burn_tier="{tier}"}}'
        )
        lasted = 0
        for one in own:
            begin = minute_of(one["fired_ms"])
            end = MINUTES if one["ended_ms"] is None else minute_of(one["ended_ms"])
            lasted += end - begin
            expect(f"count({alerts}) or vector(0)", begin - 2, 0)
            expect(f"count({alerts}) or vector(0)", begin + 1, 1)
            if one["ended_ms"] is not None:
                expect(f"count({alerts}) or vector(0)", end - 2, 1)
                expect(f"count({alerts}) or vector(0)", end + 1, 0)
        # An evaluation more or less at either end, and no alert that was not rehearsed.
        total = f"(sum(count_over_time({alerts}[{MINUTES}m])) or vector(0))"
        expect(f"abs({total} - {lasted}) <= bool {2 * len(own)}", MINUTES, 1)
    return tests


def rules_test(path: Path, rehearsed: dict[str, list[dict[str, Any]]]) -> None:
    """A test of the committed rules: JSON is YAML."""
    series = [
        {"series": series, "values": promtool_values(values)}
        for one in HISTORIES
        if one.service in rehearsed
        for series, values in samples(one).items()
    ]
    tests = [test for service, own in rehearsed.items() for test in expectations(service, own)]
    written = {
        "rule_files": [str(ROOT / "alerts" / "rules" / "slo.yaml")],
        "evaluation_interval": "1m",
        # Else promtool takes any order, and the tickets see the counts of the minute before.
        "group_eval_order": ["redora-slo-page", "redora-slo-ticket"],
        "tests": [{"interval": f"{SCRAPE}s", "input_series": series, "promql_expr_test": tests}],
    }
    path.write_text(json.dumps(written))


def ended(
    tools: Tools, *words: str | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A rehearsal that came to an end."""
    return subprocess.run(
        [tools.redora, "slo", "rehearse", "--format", "json", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment() | (environment or {}),
    )


def rehearse(tools: Tools, *words: str | Path) -> dict[str, Any]:
    """A rehearsal that must succeed, as JSON."""
    done = ended(tools, *words)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def firings(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What fired, by service."""
    return {played["service"]: played["firings"] for played in report["objectives"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the histories in every form."""
    folder = tmp_path_factory.mktemp("rehearse")
    records(folder / "events.jsonl")
    openmetrics(folder / "events.om")
    slos = [
        f"- {{ name: up, service: {one.service}, indicator: availability,"
        f" objective: {one.goal}, window: {one.days}d, tiers: "
        f"[page{', ticket' if one.tickets else ''}] }}"
        for one in HISTORIES
    ]
    (folder / "slos.yaml").write_text("\n".join(slos) + "\n")
    (folder / "redora.yaml").write_text("slos: [slos.yaml]\n")
    return folder


@pytest.fixture(scope="module")
def from_records(tools: Tools, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What the lines say."""
    words = ["--config", folder / "redora.yaml", "--history", folder / "events.jsonl"]
    return firings(rehearse(tools, *words))


@pytest.fixture(scope="module")
def from_prometheus(tools: Tools, folder: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """What each Prometheus says."""
    programs = {"2": tools.prometheus_2, "3": tools.prometheus_3}

    def asked(major: str) -> dict[str, list[dict[str, Any]]]:
        home = folder / f"prometheus-{major}"
        made = subprocess.run(
            [
                programs[major] / "promtool",
                *["tsdb", "create-blocks-from", "openmetrics"],
                *[folder / "events.om", home / "tsdb"],
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert made.returncode == 0, made.stderr
        flavour = Flavour(programs[major] / "prometheus", "text")
        server = Prometheus.configured(flavour, home, "scrape_configs: []\n")
        try:
            server.wait_ready()
            words = ["--prometheus", server.url, "--since", "1d", "--until", UNTIL]
            rehearsed = firings(rehearse(tools, *words))
            server.stop()
            return rehearsed
        finally:
            server.process.kill()

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(programs, pool.map(asked, programs), strict=True))


def test_the_histories_are_those_that_matter(
    from_records: dict[str, list[dict[str, Any]]],
) -> None:
    """Outages page, blips and two bad events do not, and each tier fires somewhere."""
    fired = {service: {one["tier"] for one in own} for service, own in from_records.items()}
    assert {"1h", "6h"} <= fired["all"] & fired["fifth"] & fired["twentieth"]
    assert fired["two"] == set()
    assert "1h" in fired["calm"]
    assert "1h" in fired["four-weeks"]
    assert "1h" not in fired["month"]
    assert not fired["pages"] & {"1d", "3d"}
    assert set().union(*fired.values()) == set(TIERS)
    assert [one["tier"] for one in from_records["kept"]].count("1h") == 1
    assert [one["tier"] for one in from_records["again"]].count("1h") == 2


@pytest.mark.parametrize("major", ["2", "3"])
def test_a_prometheus_tells_the_same_as_the_records(
    from_records: dict[str, list[dict[str, Any]]],
    from_prometheus: dict[str, dict[str, list[dict[str, Any]]]],
    major: str,
) -> None:
    """Goals, windows and tiers come from what was recorded, and so do the events."""
    told = dict(from_prometheus[major])
    assert told.pop("down")
    assert told == from_records


def test_the_rules_do_what_was_rehearsed(
    tools: Tools,
    folder: Path,
    from_prometheus: dict[str, dict[str, list[dict[str, Any]]]],
) -> None:
    """The committed rules under both promtools, with the rehearsal for an expectation."""
    programs = {"2": tools.prometheus_2, "3": tools.prometheus_3}

    def tested(major: str) -> subprocess.CompletedProcess[str]:
        path = folder / f"rules-{major}.yaml"
        rules_test(path, from_prometheus[major])
        command = [programs[major] / "promtool", "test", "rules", path]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    with ThreadPoolExecutor(max_workers=2) as pool:
        for done in pool.map(tested, programs):
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


# The user `shop` with the password `test`, as the documentation of Prometheus has it.
WEB = """\
tls_server_config: { cert_file: leaf.pem, key_file: leaf.key }
basic_auth_users: { shop: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay }
"""


def certificates(folder: Path) -> None:
    """An authority of our own, and a certificate of it for this machine."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-days", "2"]
    leaf = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=prometheus"]
    leaf += ["-addext", "subjectAltName=IP:127.0.0.1"]
    leaf += ["-addext", "basicConstraints=critical,CA:FALSE"]
    for words in (
        ["-subj", "/CN=ours", "-keyout", "ca.key", "-out", "ca.pem"],
        [*leaf, "-keyout", "leaf.key", "-out", "leaf.pem"],
    ):
        subprocess.run([*new, *words], cwd=folder, check=True, capture_output=True, timeout=30)


def test_a_prometheus_behind_tls_and_a_password_is_asked_by_whom_it_knows(
    tools: Tools,
    folder: Path,
    from_prometheus: dict[str, dict[str, list[dict[str, Any]]]],
) -> None:
    """And nobody is told a password who does not show the certificate."""
    certificates(folder)
    (folder / "web.yaml").write_text(WEB)
    (folder / "password").write_text("test\n")
    (port,) = free_ports(1)
    server = Process(
        "prometheus-tls",
        [
            tools.prometheus_3 / "prometheus",
            f"--config.file={folder / 'prometheus-3' / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus-3' / 'tsdb'}",
            f"--web.config.file={folder / 'web.yaml'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--query.lookback-delta=30s",
        ],
        folder,
    )
    url = f"https://127.0.0.1:{port}"
    words = ["--prometheus", url, "--since", "1d", "--until", UNTIL]
    known = [*words, "--user", "shop", "--password", f"${{file:{folder / 'password'}}}"]
    trusting = {"SSL_CERT_FILE": str(folder / "ca.pem")}
    try:
        asked = eventually(
            lambda: [
                done
                for done in [ended(tools, *known, environment=trusting)]
                if "cannot connect" not in done.stderr and "503" not in done.stderr
            ],
            "Prometheus is ready",
            60,
        )[0]
        assert (asked.returncode, asked.stderr) == (0, ""), asked.stderr
        assert firings(json.loads(asked.stdout)) == from_prometheus["3"]
        stranger = ended(tools, *words, environment=trusting)
        assert stranger.returncode == 1
        assert "401 Unauthorized; give --token, or --user and --password" in stranger.stderr
        distrust = ended(tools, *known)
        assert distrust.returncode == 1
        assert "SSL_CERT_FILE" in distrust.stderr
    finally:
        server.kill()
