"""What ``/metrics`` reports."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = {"registry": self.registry, "namespace": "faunacheck"}
        self.requests = Counter("requests", "Requests by status.", ["path", "status"], **names)
        self.seconds = Histogram("request_seconds", "Time to answer.", ["path"], **names)
        self.answers = Counter("answers", "Pairs by verdict.", ["verdict"], **names)
        self.in_flight = Gauge("requests_in_flight", "Requests being answered.", **names)
