"""A sender of known spans and log records: the real Python SDK and exporters, our own times.

Batches go out in the foreground, so that a story knows what was acknowledged and when.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import (
    OTLPLogExporter as GrpcLogExporter,
)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcSpanExporter,
)
from opentelemetry.exporter.otlp.proto.http._log_exporter import (
    OTLPLogExporter as HttpLogExporter,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpSpanExporter,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

__all__ = ["Request", "Sender", "SeverityNumber", "SpanKind"]


@dataclass(frozen=True)
class Request:
    """One span to be sent."""

    name: str
    seconds: float
    failed: bool = False
    kind: SpanKind = SpanKind.SERVER
    attributes: dict[str, str | int] = field(default_factory=dict)


class Sender:
    """One service's SDK."""

    def __init__(
        self,
        endpoint: str,
        protocol: str,
        service: str,
        version: str = "",
        revision: str = "",
        environment: str = "",
    ) -> None:
        resource = Resource(
            {
                "service.name": service,
                **({"service.version": version} if version else {}),
                **({"vcs.ref.head.revision": revision} if revision else {}),
                **({"deployment.environment.name": environment} if environment else {}),
            }
        )
        self._spans = InMemorySpanExporter()
        tracers = TracerProvider(resource=resource)
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._tracer = tracers.get_tracer("stories")
        self._records = InMemoryLogRecordExporter()
        loggers = LoggerProvider(resource=resource)
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self._records))
        self._logger = loggers.get_logger("stories")
        self._span_exporter: GrpcSpanExporter | HttpSpanExporter
        self._log_exporter: GrpcLogExporter | HttpLogExporter
        if protocol == "grpc":
            self._span_exporter = GrpcSpanExporter(endpoint=endpoint, insecure=True)
            self._log_exporter = GrpcLogExporter(endpoint=endpoint, insecure=True)
        else:
            self._span_exporter = HttpSpanExporter(endpoint=f"{endpoint}/v1/traces")
            self._log_exporter = HttpLogExporter(endpoint=f"{endpoint}/v1/logs")

    def send(self, requests: Sequence[Request]) -> list[str]:
        """Export one batch of spans that end now; their trace ids once they are acknowledged."""
        end = time.time_ns()
        for request in requests:
            start = end - round(request.seconds * 1e9)
            span = self._tracer.start_span(
                request.name,
                kind=request.kind,
                attributes=request.attributes,
                start_time=start,
            )
            if request.failed:
                span.set_status(Status(StatusCode.ERROR))
            span.end(end_time=end)
        batch = self._spans.get_finished_spans()
        self._spans.clear()
        assert self._span_exporter.export(batch) is SpanExportResult.SUCCESS
        return [format(span.get_span_context().trace_id, "032x") for span in batch]

    def log(self, records: Sequence[tuple[SeverityNumber, str]]) -> None:
        """Export one batch of log records and return once it is acknowledged."""
        for severity, body in records:
            self._logger.emit(
                timestamp=time.time_ns(),
                severity_number=severity,
                severity_text=severity.name,
                body=body,
            )
        batch = self._records.get_finished_logs()
        self._records.clear()
        assert self._log_exporter.export(batch) is LogRecordExportResult.SUCCESS

    def close(self) -> None:
        """Close the exporters' connections."""
        self._span_exporter.shutdown()
        self._log_exporter.shutdown()
