package dev.tocsin.ops;

import com.google.protobuf.Timestamp;
import com.google.rpc.Code;
import dev.tocsin.proto.admin.ActivateRulesRequest;
import dev.tocsin.proto.admin.ActivateRulesResponse;
import dev.tocsin.proto.admin.GetRulesRequest;
import dev.tocsin.proto.admin.GetRulesResponse;
import dev.tocsin.proto.admin.ListRulesVersionsRequest;
import dev.tocsin.proto.admin.ListRulesVersionsResponse;
import dev.tocsin.proto.admin.RulesGrpc;
import dev.tocsin.proto.admin.RulesVersion;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesBook;
import io.grpc.BindableService;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules as operators see and change them: {@code tocsin.admin.Rules}. Every call reads the
 * rules topic anew, so any number of instances say the same. Its calls wait for Kafka: serve it on
 * threads that may block. Thread-safe.
 */
public final class RulesService extends RulesGrpc.RulesImplBase implements BindableService {
  private static final Logger LOG = LoggerFactory.getLogger(RulesService.class);

  /** Calls under way at once; one more is UNAVAILABLE. */
  private static final int CALLS_MAX = 4;

  private static final int LISTED_MAX = 1000;
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final OpsConfig config;
  private final RulesTopic topic;
  private final Semaphore calls = new Semaphore(CALLS_MAX);
  private final Semaphore activations = new Semaphore(1);

  /** A service over the log that {@code config} names. It holds nothing open between calls. */
  public RulesService(OpsConfig config) {
    this.config = config;
    this.topic = new RulesTopic(config);
  }

  @Override
  public void activateRules(
      ActivateRulesRequest request, StreamObserver<ActivateRulesResponse> replies) {
    answer(replies, activations, () -> activate(request));
  }

  @Override
  public void getRules(GetRulesRequest request, StreamObserver<GetRulesResponse> replies) {
    answer(replies, calls, () -> get(request.getVersion()));
  }

  @Override
  public void listRulesVersions(
      ListRulesVersionsRequest request, StreamObserver<ListRulesVersionsResponse> replies) {
    answer(replies, calls, this::list);
  }

  private ActivateRulesResponse activate(ActivateRulesRequest request) {
    RulesDocument document = RulesDocument.parse(request.getDocument());
    if (!document.faults().isEmpty()) {
      throw Errors.invalid(
          "the document has faults",
          document.faults().stream()
              .map(fault -> Errors.violation(fault.line() + ":" + fault.column(), fault.message()))
              .toList());
    }
    try (RulesWriter writer = new RulesWriter(config)) {
      Rules active = settled(writer);
      int expected = request.getExpectedVersion();
      if (active.getText().equals(request.getDocument())) {
        return answer(active, true);
      }
      if (expected != 0 && expected != active.getVersion()) {
        throw Errors.because(
            Code.ABORTED,
            "RULES_VERSION",
            "version %d of the rules is active, not %d".formatted(active.getVersion(), expected),
            Map.of("version", Integer.toString(active.getVersion())));
      }
      Rules rules = document.rules(active.getVersion() + 1);
      writer.publish(rules);
      writer.activate(rules);
      LOG.info("version {} of the rules is active", rules.getVersion());
      return answer(rules, false);
    }
  }

  /** The active version, once what an earlier writer left half-done is done. */
  private Rules settled(RulesWriter writer) {
    RulesBook book = topic.read((rules, atMs) -> {});
    Rules newest =
        book.newest()
            .orElseThrow(
                () -> Errors.unavailable("there are no rules: the log is not made", RETRY_AFTER));
    if (newest.getVersion() > book.activeVersion()) {
      LOG.info("version {} of the rules was published only; activating it", newest.getVersion());
      writer.activate(newest);
    }
    return newest;
  }

  private GetRulesResponse get(int version) {
    Map<Integer, RulesVersion> found = new TreeMap<>();
    RulesBook book =
        topic.read(
            (rules, atMs) -> {
              if (rules.getVersion() == version) {
                found.put(version, describe(rules, atMs).setDocument(rules.getText()).build());
              } else if (version == 0) { // the newest two: one of them is active
                found.put(
                    rules.getVersion(), describe(rules, atMs).setDocument(rules.getText()).build());
                found.keySet().removeIf(each -> each < rules.getVersion() - 1);
              }
            });
    RulesVersion wanted = found.get(version == 0 ? book.activeVersion() : version);
    if (wanted == null) {
      throw Errors.notFound(
          version == 0 ? "there are no rules" : "there is no version " + version + " of the rules");
    }
    return GetRulesResponse.newBuilder()
        .setVersion(
            wanted.toBuilder().setActive(wanted.getVersion() == book.activeVersion()).build())
        .build();
  }

  private ListRulesVersionsResponse list() {
    TreeMap<Integer, RulesVersion> found = new TreeMap<>();
    RulesBook book =
        topic.read(
            (rules, atMs) -> {
              found.put(rules.getVersion(), describe(rules, atMs).build());
              if (found.size() > LISTED_MAX) {
                found.pollFirstEntry();
              }
            });
    List<RulesVersion> newestFirst =
        found.descendingMap().values().stream()
            .map(
                each ->
                    each.toBuilder().setActive(each.getVersion() == book.activeVersion()).build())
            .toList();
    return ListRulesVersionsResponse.newBuilder().addAllVersions(newestFirst).build();
  }

  private static ActivateRulesResponse answer(Rules active, boolean unchanged) {
    return ActivateRulesResponse.newBuilder()
        .setVersion(active.getVersion())
        .setUnchanged(unchanged)
        .build();
  }

  private static RulesVersion.Builder describe(Rules rules, long publishedAtMs) {
    return RulesVersion.newBuilder()
        .setVersion(rules.getVersion())
        .setRules(rules.getRules().size())
        .setPublishedAt(
            Timestamp.newBuilder()
                .setSeconds(Math.floorDiv(publishedAtMs, 1000))
                .setNanos((int) Math.floorMod(publishedAtMs, 1000L) * 1_000_000));
  }

  private static <R> void answer(StreamObserver<R> replies, Semaphore places, Supplier<R> work) {
    if (!places.tryAcquire()) {
      replies.onError(Errors.unavailable("too many calls under way", RETRY_AFTER));
      return;
    }
    R response;
    try {
      response = work.get();
    } catch (StatusRuntimeException refused) {
      replies.onError(refused);
      return;
    } catch (RuntimeException failed) {
      replies.onError(status(failed));
      return;
    } finally {
      places.release();
    }
    replies.onNext(response);
    replies.onCompleted();
  }

  private static StatusRuntimeException status(RuntimeException failed) {
    if (failed instanceof RulesWriter.FencedException) {
      return Errors.because(
          Code.ABORTED,
          "RULES_WRITER",
          "someone else activates rules at the same time: look which version is active",
          Map.of());
    }
    if (failed instanceof Codec.UnknownSchemaException) {
      return Errors.because(
          Code.FAILED_PRECONDITION,
          "RULES_NEWER",
          "the rules topic holds versions of a newer Tocsin: " + failed.getMessage(),
          Map.of());
    }
    LOG.warn("the rules topic", failed);
    return failed instanceof KafkaException
        ? Errors.unavailable("Kafka: " + failed.getMessage(), RETRY_AFTER)
        : Errors.because(Code.INTERNAL, "INTERNAL", "internal error", Map.of());
  }
}
