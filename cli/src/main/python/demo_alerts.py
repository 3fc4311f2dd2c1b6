#!/usr/bin/env python3
"""Writes demo-alerts.jsonl, the sample that `tocsin demo` sends by default.

    python3 cli/src/main/python/demo_alerts.py > cli/src/main/resources/demo-alerts.jsonl

The story, one Friday from 16:00 UTC: a shop's database primary loses its disk. Orders fail, the queue
behind them grows, checkout and the gateway follow; the replica is promoted and everything ends, in
order. Beside it the usual noise: a host that runs hot, certificates, logins, batch jobs. Some senders
resend what they sent already, one condition comes back, one end is reported that nobody saw begin, and
one alert arrives after its condition's end. The output is always the same.
"""

import json
import random
import sys
from datetime import datetime, timedelta, timezone

START = datetime(2026, 11, 20, 16, 0, 0, tzinfo=timezone.utc)
P0, P1, P2, P3, P4 = 1, 2, 3, 4, 5
INFRASTRUCTURE, APPLICATION, SECURITY, DATA, PERFORMANCE, AVAILABILITY, COMPLIANCE = range(1, 8)

rng = random.Random(20261120)
alerts = []
serial = {}


def emit(at, source, title, severity, kind, service, *, resolved=False, description="", resources=(), **labels):
    """One alert `at` seconds after the start."""
    serial[source] = serial.get(source, 0) + 1
    alert = {
        "alert_id": f"{source}-{serial[source]:05d}",
        "source": source,
        "title": title,
        "severity": severity,
        "type": kind,
        "labels": {"service": service, **labels},
    }
    if description:
        alert["description"] = description
    if resources:
        alert["affected_resources"] = list(resources)
    if resolved:
        alert["status"] = "RESOLVED"
    when = START + timedelta(seconds=at)
    alert["fired_at"] = when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"
    alerts.append((at, len(alerts), alert))
    return alert


def repeat(first, last, every, *args, **kwargs):
    """The same condition seen again and again, with some jitter, until `last`."""
    at = first
    while at < last:
        emit(round(at, 3), *args, **kwargs)
        at += every * 1.34 * rng.uniform(0.7, 1.3)


def end(at, *args, **kwargs):
    emit(at, *args, resolved=True, **kwargs)


def condition(first, last, every, *args, ends=True, **kwargs):
    repeat(first, last, every, *args, **kwargs)
    if ends:
        end(last + rng.uniform(5, 20), *args, **kwargs)


# The cause.
condition(300, 1500, 15, "node-exporter", "Disk latency over 500 ms", P2, INFRASTRUCTURE, "orders-db",
          host="db-1", device="nvme1n1", resources=("db-1:/dev/nvme1n1",),
          description="Write latency of nvme1n1 on db-1 has a p99 over 500 ms.")
condition(420, 1500, 10, "node-exporter", "Disk I/O errors", P1, INFRASTRUCTURE, "orders-db",
          host="db-1", device="nvme1n1", resources=("db-1:/dev/nvme1n1",),
          description="The kernel reports medium errors on nvme1n1.")
condition(480, 1560, 12, "postgres-exporter", "Replication lag over 30 s", P1, DATA, "orders-db",
          host="db-2", role="replica")
condition(540, 1530, 8, "postgres-exporter", "Checkpoint took over 60 s", P2, DATA, "orders-db",
          host="db-1", role="primary")
condition(600, 1520, 5, "blackbox", "Port 5432 does not answer", P0, AVAILABILITY, "orders-db",
          host="db-1", resources=("db-1:5432",))

# What depends on it.
for pod in ("orders-7d9f-1", "orders-7d9f-2", "orders-7d9f-3", "orders-7d9f-4"):
    condition(615 + rng.uniform(0, 30), 1600, 14, "app-metrics", "Connection pool exhausted", P1, APPLICATION,
              "orders", pod=pod)
    condition(640 + rng.uniform(0, 30), 1610, 20, "app-metrics", "Error rate over 20 %", P0, AVAILABILITY,
              "orders", pod=pod)
for partition in range(6):
    condition(700 + rng.uniform(0, 60), 1900, 36, "kafka-lag", "Consumer lag over 10,000", P2, PERFORMANCE,
              "order-events", partition=str(partition), group="order-events")
for pod in ("checkout-5c4b-1", "checkout-5c4b-2", "checkout-5c4b-3"):
    condition(720 + rng.uniform(0, 40), 1640, 18, "app-metrics", "P95 latency over 5 s", P1, PERFORMANCE,
              "checkout", pod=pod)
    condition(760 + rng.uniform(0, 40), 1640, 24, "app-metrics", "Circuit breaker open: orders", P1, AVAILABILITY,
              "checkout", pod=pod)
for zone in ("a", "b", "c"):
    condition(780 + rng.uniform(0, 20), 1650, 16, "gateway", "5xx rate over 5 %", P0, AVAILABILITY, "gateway",
              zone=f"eu-1{zone}", route="/checkout")
condition(800, 1650, 30, "synthetics", "Checkout journey fails", P0, AVAILABILITY, "shop", step="pay",
          description="A scripted customer cannot pay.")
condition(900, 1700, 60, "business", "Orders a minute under 20 % of last week", P1, DATA, "shop")

# It comes back once, shortly, on one pod.
repeat(1690, 1740, 10, "app-metrics", "Error rate over 20 %", P1, AVAILABILITY, "orders", pod="orders-7d9f-3")
end(1760, "app-metrics", "Error rate over 20 %", P1, AVAILABILITY, "orders", pod="orders-7d9f-3")

# The noise of any day, most of it without an end.
for host in ("web-1", "web-2", "web-3", "batch-1"):
    condition(rng.uniform(0, 900), 2400, 120, "node-exporter", "CPU temperature over 85 C", P3, INFRASTRUCTURE,
              "fleet", ends=False, host=host)
for name in ("pay.example.com", "api.example.com"):
    condition(rng.uniform(0, 300), 2400, 300, "cert-watch", "Certificate expires in 14 days", P3, COMPLIANCE,
              "edge-tls", ends=False, domain=name)
for address in ("198.51.100.7", "198.51.100.23", "203.0.113.80"):
    first = rng.uniform(200, 1400)
    condition(first, first + 500, 25, "auth", "Failed logins over 30 a minute", P2, SECURITY, "accounts",
              ends=False, address=address)
condition(1000, 1400, 90, "scheduler", "Nightly export is late", P3, APPLICATION, "exports", job="ledger")
condition(100, 2400, 240, "backup", "Snapshot slower than planned", P4, DATA, "catalog-db", ends=False, host="db-7")
condition(1200, 1800, 75, "app-metrics", "Heap over 90 %", P2, PERFORMANCE, "search", pod="search-66f-2")
condition(50, 2300, 110, "dns-watch", "Resolver answers slower than 200 ms", P4, PERFORMANCE, "dns", ends=False,
          host="ns-2")
emit(1310, "ci", "Deployment rolled back", P3, APPLICATION, "catalog", version="2026.11.20-3")
emit(1345, "audit", "Root login on a database host", P1, SECURITY, "orders-db", host="db-1", user="oncall")

# An end that nobody saw begin, and a sighting older than the end that came before it.
end(1500, "blackbox", "Port 6432 does not answer", P2, AVAILABILITY, "pgbouncer", host="db-1")
late = emit(1460.2, "scheduler", "Nightly export is late", P3, APPLICATION, "exports", job="ledger")

ordered = sorted(alerts, key=lambda entry: (1450 if entry[2] is late else entry[0], entry[1]))
lines = [alert for _, _, alert in ordered]
# It is dated before its condition's end and comes in after it.
lines.remove(late)
after = max(i for i, a in enumerate(lines) if a["source"] == "scheduler" and a.get("status") == "RESOLVED")
late["fired_at"] = "2026-11-20T16:23:00.000Z"
lines.insert(after + 3, late)

# The gateway's agent lost its connection twice, and sent its last ones again under their own ids.
for moment in (1000, 1300):
    gateway = [i for i, a in enumerate(lines) if a["source"] == "gateway"]
    at = min(i for i in gateway if lines[i]["fired_at"] > (START + timedelta(seconds=moment)).isoformat()[:19])
    again = [lines[i] for i in gateway if i <= at][-12:]
    lines[at + 1:at + 1] = again

for alert in lines:
    json.dump(alert, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write("\n")
