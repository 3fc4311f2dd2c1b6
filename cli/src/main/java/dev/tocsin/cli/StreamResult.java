package dev.tocsin.cli;

import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What came of a stream of alerts. {@code sent} is the sum of acknowledged, rejected, unavailable
 * and unknown.
 *
 * @param sent alerts sent, each counted once however often it was sent again
 * @param acknowledged safe on the log
 * @param rejected refused for what they are
 * @param unavailable not taken, also after the last retry
 * @param unknown never answered: they may count or not
 * @param broken lines that are no alert
 * @param resent how often an alert was sent again
 * @param elapsed from the first alert sent to the last answer
 * @param positions the highest acknowledged offset of each log partition
 * @param failure why the stream ended early
 */
record StreamResult(
    long sent,
    long acknowledged,
    long rejected,
    long unavailable,
    long unknown,
    long broken,
    long resent,
    Duration elapsed,
    Map<Integer, Long> positions,
    Optional<Failure> failure) {

  /** Whether every line was an alert and is safe on the log. */
  boolean complete() {
    return failure.isEmpty() && broken == 0 && acknowledged == sent;
  }

  /** 0 only if {@link #complete}. */
  int exitCode() {
    return failure.map(Failure::exitCode).orElse(complete() ? 0 : Failure.WORK_FAILED);
  }

  /** Answered alerts a second; 0 where nothing was answered. */
  double perSecond() {
    double seconds = seconds();
    return seconds > 0 ? (sent - unknown) / seconds : 0;
  }

  double seconds() {
    return elapsed.toNanos() / 1e9;
  }

  /** The counts in one line. */
  String summary() {
    String counts =
        "%,d sent, %,d acknowledged, %,d rejected, %,d unavailable, %,d broken lines"
            .formatted(sent, acknowledged, rejected, unavailable, broken);
    String unanswered = unknown == 0 ? "" : ", %,d unknown".formatted(unknown);
    return counts + unanswered + " in %.1f s (%,.0f/s)".formatted(seconds(), perSecond());
  }

  /** The counts as one JSON object. */
  JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("sent", sent);
    json.addProperty("acknowledged", acknowledged);
    json.addProperty("rejected", rejected);
    json.addProperty("unavailable", unavailable);
    json.addProperty("unknown", unknown);
    json.addProperty("broken_lines", broken);
    json.addProperty("resent", resent);
    json.addProperty("elapsed_ms", elapsed.toMillis());
    json.addProperty("alerts_per_second", Math.round(perSecond()));
    failure.ifPresent(reason -> json.addProperty("failure", reason.getMessage()));
    return json;
  }
}
