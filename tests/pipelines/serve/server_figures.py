"""What /metrics of `weir serve` says, read as strictly as its format is written (Prometheus' text
format, version 0.0.4), and what must hold between its figures.
"""

from __future__ import annotations

import re

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*)\})? (\S+)')


class Figures:
    def __init__(self, text: str) -> None:
        """Throws ValueError where it is not in the format."""
        self.values: dict[tuple[str, str], float] = {}
        self.types: dict[str, str] = {}
        if not text.endswith("\n"):
            raise ValueError("the last line has no end")
        for line in text.splitlines():
            if line.startswith("# HELP "):
                continue
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                if name in self.types:
                    raise ValueError(f"{name} has two types")
                self.types[name] = kind
                continue
            found = SAMPLE.fullmatch(line)
            if not found:
                raise ValueError(f"no sample: {line}")
            name, labels, value = found[1], found[2] or "", float(found[3])
            if (name, labels) in self.values:
                raise ValueError(f"twice: {line}")
            if name not in self.types and re.sub("_(bucket|sum|count)$", "", name) not in self.types:
                raise ValueError(f"without a type: {line}")
            self.values[name, labels] = value

    def get(self, name: str, labels: str = "") -> float:
        return self.values.get((name, labels), 0.0)

    def labels(self, name: str) -> list[str]:
        return [labels for each, labels in self.values if each == name]

    def complaints(self, before: Figures | None, ceiling_bytes: int) -> list[str]:
        """What is inconsistent, in itself and after those that were read before."""
        found = []
        counted: dict[str, float] = {}
        for labels in self.labels("weir_requests_total"):
            route = labels.split(",")[0]
            counted[route] = counted.get(route, 0) + self.get("weir_requests_total", labels)
        for route in self.labels("weir_request_seconds_count"):
            total = self.get("weir_request_seconds_count", route)
            of_route = [each for each in self.labels("weir_request_seconds_bucket") if each.split(",le=")[0] == route]
            buckets = [self.get("weir_request_seconds_bucket", each) for each in of_route]
            if buckets != sorted(buckets) or buckets[-1] != total:
                found.append(f"the buckets of {route} do not add up: {buckets}, {total}")
            if counted.get(route) != total:
                found.append(f"{route} has {counted.get(route)} requests and {total} times")
        for part in self.labels("weir_memory_limit_bytes"):
            if self.get("weir_memory_bytes", part) > self.get("weir_memory_limit_bytes", part):
                found.append(f"{part} holds more than it may")
        if self.get("weir_process_private_bytes") > ceiling_bytes:
            found.append("weir_process_private_bytes is above the ceiling")
        for key, value in before.values.items() if before else []:
            is_counter = self.types.get(re.sub("_(bucket|sum|count)$", "", key[0])) in ("counter", "histogram")
            if is_counter and self.values.get(key, -1) < value:
                found.append(f"{key} fell from {value} to {self.values.get(key)}")
        return found
