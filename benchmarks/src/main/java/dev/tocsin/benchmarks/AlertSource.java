package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertMessage;

/** Alerts without an end, one after another; the same source gives the same ones. */
interface AlertSource {
  AlertMessage next();
}
