"""The numbers of a running hub in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from storage.lane import BUCKETS, Figures


@dataclass(frozen=True, slots=True)
class Facts:
    """What was counted in the database, and the lane's own figures."""

    touches: int
    messages: int
    deliveries: Mapping[str, int]
    obligations: Mapping[str, int]
    jobs: int
    lines: Mapping[str, str]
    set_aside: Mapping[str, int]
    lane: Figures
    lane_waiting: int
    lane_alive: bool


def render(facts: Facts) -> bytes:
    """The page that a Prometheus server reads."""
    registry = CollectorRegistry()
    registry.register(_Hub(facts))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Hub(Collector):
    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield CounterMetricFamily("touchline_touches", "Touches in the log", facts.touches)
        yield CounterMetricFamily("touchline_messages_written", "Messages that were written to clients", facts.messages)
        yield _by("touchline_deliveries", "Messages not (yet) out, by state", "state", facts.deliveries)
        yield _by("touchline_obligations", "Open promises, by state", "state", facts.obligations)
        yield GaugeMetricFamily("touchline_jobs", "Jobs that are waiting or under way", facts.jobs)
        yield _lines(facts.lines)
        yield _by("touchline_set_aside", "Touches that could not be taken in", "line", facts.set_aside)
        yield from _lane(facts)


def _by(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _lines(states: Mapping[str, str]) -> Metric:
    family = GaugeMetricFamily("touchline_line", "1 for the state in which a line is", labels=["line", "state"])
    for line, state in sorted(states.items()):
        family.add_metric([line, state], 1)
    return family


def _lane(facts: Facts) -> Iterator[Metric]:
    figures = facts.lane
    counts = list(accumulate(figures.buckets))
    bounds = [*map(str, map(float, BUCKETS)), "+Inf"]
    sizes = HistogramMetricFamily("touchline_lane_batch_pieces", "Pieces of work that share one transaction")
    sizes.add_metric([], buckets=list(zip(bounds, counts, strict=True)), sum_value=figures.pieces)
    yield sizes
    yield CounterMetricFamily("touchline_lane_failed", "Transactions that failed as a whole", figures.failed)
    yield GaugeMetricFamily("touchline_lane_waiting", "Pieces that wait for the write lane", facts.lane_waiting)
    yield GaugeMetricFamily("touchline_lane_alive", "1 while the write lane works", int(facts.lane_alive))
