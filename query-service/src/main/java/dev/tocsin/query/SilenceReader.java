package dev.tocsin.query;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import dev.tocsin.ops.SilenceMatchers;
import dev.tocsin.proto.incidents.CreateSilenceRequest;
import dev.tocsin.proto.incidents.PreviewSilenceRequest;
import dev.tocsin.proto.state.KeptSilence;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.SilenceExpired;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * Makes entries of the log from callers' requests about silences. Each method throws
 * INVALID_ARGUMENT with every violation. Thread-safe.
 *
 * <p>A silence's id is a UUID of version 8 made of SHA-256 over {@code silence}, the workspace and
 * the request id; its content a hash of the request without its request id.
 */
final class SilenceReader {
  static final int COMMENT_MAX = 1024;

  /**
   * Of the matchers and the comment, in UTF-8: all of a workspace's that have not ended are less
   * than a gRPC message may have.
   */
  static final int BYTES_MAX = 3 << 10;

  static final Duration AHEAD_MAX = Duration.ofDays(365);
  private static final int MATCHERS_MAX = 20;
  private static final long SECONDS_MAX = 253_402_300_799L; // the last of the year 9999

  /** A silence that is asked for, and under which request id. */
  record Asked(Silence silence, String requestId) {}

  private final Clock clock;

  SilenceReader(Clock clock) {
    this.clock = clock;
  }

  Asked read(CreateSilenceRequest request) {
    long nowMs = clock.millis();
    Violations faults = new Violations();
    List<Matcher> matchers = matchers(request.getMatchersList(), faults);
    new FieldCheck(faults)
        .required("comment", request.getComment(), COMMENT_MAX)
        .text("request_id", request.getRequestId(), CommandCheck.REQUEST_ID_MAX);
    size(request, faults);
    long startMs = request.hasStart() ? time("start", request.getStart(), faults) : 0;
    long endMs = request.hasEnd() ? time("end", request.getEnd(), faults) : 0;
    if (!request.hasEnd()) {
      faults.add("end", "must be given");
    } else if (faults.none()) {
      times(nowMs, request.hasStart() ? startMs : nowMs, endMs, faults);
    }
    faults.raise();
    Caller caller = Caller.current();
    String requestId =
        request.getRequestId().isEmpty() ? UUID.randomUUID().toString() : request.getRequestId();
    return new Asked(
        Silence.newBuilder()
            .setWorkspace(caller.workspace())
            .setId(id(caller.workspace(), requestId))
            .setContent(content(request))
            .setMatchers(matchers)
            .setStartMs(startMs)
            .setEndMs(endMs)
            .setAuthor(caller.principal())
            .setComment(request.getComment())
            .setCreatedAtMs(nowMs)
            .build(),
        requestId);
  }

  /** The same silence as one that is kept already. */
  static Silence again(String workspace, KeptSilence kept) {
    var silence = kept.getSilence();
    return Silence.newBuilder()
        .setWorkspace(workspace)
        .setId(IncidentId.parse(silence.getId()).orElseThrow())
        .setContent(new Key128(kept.getContent().toByteArray()))
        .setMatchers(SilenceMatchers.read(silence.getMatchersList(), (path, what) -> {}))
        .setStartMs(ms(silence.getStart()))
        .setEndMs(ms(silence.getEnd()))
        .setAuthor(silence.getAuthor())
        .setComment(silence.getComment())
        .setCreatedAtMs(ms(silence.getCreatedAt()))
        .build();
  }

  SilenceExpired expired(String id) {
    Caller caller = Caller.current();
    Key128 key = IncidentId.parse(id).orElseThrow(() -> Errors.invalid("id", "Invalid UUID"));
    return new SilenceExpired(caller.workspace(), key, caller.principal());
  }

  /** How many incidents a preview tells at most. */
  static int limit(PreviewSilenceRequest request) {
    Violations faults = new Violations();
    matchers(request.getMatchersList(), faults);
    new FieldCheck(faults).notNegative("limit", request.getLimit());
    faults.raise();
    return request.getLimit() == 0
        ? ListQuery.SIZE_DEFAULT
        : Math.min(request.getLimit(), ListQuery.SIZE_MAX);
  }

  private static List<Matcher> matchers(List<String> texts, Violations faults) {
    if (texts.size() > MATCHERS_MAX) {
      faults.add("matchers", "must be at most %d, not %d".formatted(MATCHERS_MAX, texts.size()));
      return List.of();
    }
    for (int i = 0; i < texts.size(); i++) {
      new FieldCheck(faults).text("matchers[" + i + "]", texts.get(i), CommandCheck.NOTE_MAX);
    }
    return SilenceMatchers.read(texts, faults::add);
  }

  private static void size(CreateSilenceRequest request, Violations faults) {
    int bytes = request.getCommentBytes().size();
    for (ByteString each : request.getMatchersList().asByteStringList()) {
      bytes += each.size();
    }
    if (bytes > BYTES_MAX) {
      faults.add(
          "matchers, comment",
          "must be at most %,d bytes of UTF-8 together, not %,d".formatted(BYTES_MAX, bytes));
    }
  }

  private static void times(long nowMs, long startMs, long endMs, Violations faults) {
    if (startMs - nowMs > AHEAD_MAX.toMillis()) {
      faults.add("start", "must be at most 365 days ahead");
    }
    if (endMs <= startMs || endMs <= nowMs) {
      faults.add("end", "must be after the start and the present");
    } else if (endMs - startMs > AHEAD_MAX.toMillis()) {
      faults.add("end", "must be at most 365 days after the start");
    }
  }

  private static long time(String field, Timestamp time, Violations faults) {
    if (time.getSeconds() < 0
        || time.getSeconds() > SECONDS_MAX
        || time.getNanos() < 0
        || time.getNanos() > 999_999_999) {
      faults.add(field, "is no time from 1970 on");
      return 0;
    }
    return ms(time);
  }

  static long ms(Timestamp time) {
    return time.getSeconds() * 1000 + time.getNanos() / 1_000_000;
  }

  private static Key128 id(String workspace, String requestId) {
    byte[] id = new Sha256().text("silence").text(workspace).text(requestId).key().bytes().clone();
    id[6] = (byte) ((id[6] & 0x0F) | 0x80); // version 8
    id[8] = (byte) ((id[8] & 0x3F) | 0x80); // the variant of RFC 9562
    return new Key128(id);
  }

  private static Key128 content(CreateSilenceRequest request) {
    return new Sha256()
        .text("silence")
        .bytes(request.toBuilder().clearRequestId().build().toByteArray())
        .key();
  }
}
