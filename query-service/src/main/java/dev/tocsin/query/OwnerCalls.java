package dev.tocsin.query;

import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.PreviewSilenceRequest;
import dev.tocsin.proto.state.PreviewSilenceResponse;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.proto.state.ReadIncidentRequest;
import dev.tocsin.proto.state.ReadIncidentResponse;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadProgressRequest;
import dev.tocsin.proto.state.ReadProgressResponse;
import dev.tocsin.proto.state.ReadSightingsRequest;
import dev.tocsin.proto.state.ReadSightingsResponse;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * Asks the owner of a partition: one hop; where a copy will do, a standby too if the owner has not
 * answered soon, and whoever answers first is taken; if the owner is away and time allows, its
 * standbys; and at last the owner once more, under the assignment of that moment. How one question
 * goes is in {@link OwnerQuestion}. No thread waits. A call carries the context of whoever asks, so
 * that it is cancelled with the caller's own. Thread-safe.
 */
final class OwnerCalls {
  /** What the caller is told to wait where an owner is away. */
  static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  /** Before the second attempt: long enough for an assignment on its way to come in. */
  static final Duration PAUSE = Duration.ofMillis(100);

  /** So many standbys are asked at most where an owner is away. */
  static final int STANDBYS_MAX = 2;

  /** One answer of an owner, decompressed. */
  private static final int ANSWER_BYTES_MAX = 32 << 20;

  /** So long an owner has a read to itself; then a standby is asked beside it. */
  static final Duration HEDGE_AFTER = Duration.ofMillis(300);

  /** Reads that ask a standby beside their owner, at once; further ones wait for their owner. */
  static final int HEDGES_MAX = 256;

  private static final Duration HEDGE_CHECK = Duration.ofMillis(50);

  private static final Method<ReadIncidentRequest, ReadIncidentResponse> READ =
      new Method<>(
          QueryMetrics.Asked.READ_INCIDENT,
          IncidentStateGrpc.getReadIncidentMethod(),
          // Its answer is small and taken in no time, so it costs no change of thread.
          CallOptions.DEFAULT.withExecutor(Runnable::run),
          true,
          // What a copy that is behind does not have may be this very incident.
          copy -> copy.hasIncident() || copy.getStaleness().getEntries() == 0);
  private static final Method<ScanIncidentsRequest, ScanIncidentsResponse> SCAN =
      new Method<>(
          QueryMetrics.Asked.SCAN_INCIDENTS,
          IncidentStateGrpc.getScanIncidentsMethod(),
          CallOptions.DEFAULT,
          true,
          copy -> true);

  private static final Method<ReadOutcomeRequest, ReadOutcomeResponse> OUTCOME =
      new Method<>(
          QueryMetrics.Asked.READ_OUTCOME,
          IncidentStateGrpc.getReadOutcomeMethod(),
          CallOptions.DEFAULT.withExecutor(Runnable::run), // as READ
          false,
          copy -> false);

  private static final Method<ReadSightingsRequest, ReadSightingsResponse> SIGHTINGS =
      new Method<>(
          QueryMetrics.Asked.READ_SIGHTINGS,
          IncidentStateGrpc.getReadSightingsMethod(),
          CallOptions.DEFAULT,
          false,
          copy -> false);
  private static final Method<ReadProgressRequest, ReadProgressResponse> PROGRESS =
      new Method<>(
          QueryMetrics.Asked.READ_PROGRESS,
          IncidentStateGrpc.getReadProgressMethod(),
          CallOptions.DEFAULT,
          false,
          copy -> false);
  private static final Method<ReadDigestRequest, ReadDigestResponse> DIGEST =
      new Method<>(
          QueryMetrics.Asked.READ_DIGEST,
          IncidentStateGrpc.getReadDigestMethod(),
          CallOptions.DEFAULT,
          false,
          copy -> false);

  private static final Method<ReadSilencesRequest, ReadSilencesResponse> SILENCES =
      new Method<>(
          QueryMetrics.Asked.READ_SILENCES,
          IncidentStateGrpc.getReadSilencesMethod(),
          CallOptions.DEFAULT,
          false,
          copy -> false);
  private static final Method<PreviewSilenceRequest, PreviewSilenceResponse> PREVIEW =
      new Method<>(
          QueryMetrics.Asked.PREVIEW_SILENCE,
          IncidentStateGrpc.getPreviewSilenceMethod(),
          CallOptions.DEFAULT,
          false,
          copy -> false);

  private final OwnerDirectory directory;
  private final OwnerChannels channels;
  private final ScheduledExecutorService timer;
  private final QueryMetrics metrics;

  /** The reads that wait for their owner alone, and may come to ask a standby beside it. */
  private final Set<OwnerQuestion<?, ?>> waiting = ConcurrentHashMap.newKeySet();

  private final AtomicInteger hedges = new AtomicInteger();

  /**
   * A method.
   *
   * @param ofStandbys whether standbys answer it too
   * @param ofUse whether a standby's answer is one, or has to be looked for elsewhere
   */
  record Method<Q, R>(
      QueryMetrics.Asked asked,
      MethodDescriptor<Q, R> descriptor,
      CallOptions options,
      boolean ofStandbys,
      Predicate<R> ofUse) {
    Method {
      options = options.withMaxInboundMessageSize(ANSWER_BYTES_MAX);
    }
  }

  /** What comes of a question: exactly one of the two, once, in any thread. */
  interface Answer<R> {
    /** The owner's answer. */
    void is(R response);

    /** The error that the caller's call is to end with. */
    void failed(StatusRuntimeException error);
  }

  OwnerCalls(
      OwnerDirectory directory,
      OwnerChannels channels,
      ScheduledExecutorService timer,
      QueryMetrics metrics) {
    this.directory = directory;
    this.channels = channels;
    this.timer = timer;
    this.metrics = metrics;
    var unused =
        timer.scheduleWithFixedDelay(
            this::hedge, HEDGE_CHECK.toMillis(), HEDGE_CHECK.toMillis(), TimeUnit.MILLISECONDS);
  }

  void read(ReadIncidentRequest request, CallTime time, Answer<ReadIncidentResponse> answer) {
    ask(READ, request.getPartition(), request, time, request.hasMinOffset(), answer);
  }

  void scan(ScanIncidentsRequest request, CallTime time, Answer<ScanIncidentsResponse> answer) {
    ask(SCAN, request.getPartition(), request, time, request.hasMinOffset(), answer);
  }

  /** What became of a command, once its entry is applied. */
  void outcome(ReadOutcomeRequest request, CallTime time, Answer<ReadOutcomeResponse> answer) {
    ask(OUTCOME, request.getPartition(), request, time, true, answer);
  }

  /** What one partition remembers of an alert. */
  void sightings(
      ReadSightingsRequest request, CallTime time, Answer<ReadSightingsResponse> answer) {
    ask(SIGHTINGS, request.getPartition(), request, time, request.hasMinOffset(), answer);
  }

  /** The progress of whoever owns {@code partition}, of all its partitions. */
  void progress(int partition, CallTime time, Answer<ReadProgressResponse> answer) {
    ask(PROGRESS, partition, ReadProgressRequest.getDefaultInstance(), time, false, answer);
  }

  void digest(int partition, CallTime time, Answer<ReadDigestResponse> answer) {
    ReadDigestRequest request = ReadDigestRequest.newBuilder().setPartition(partition).build();
    // It may take all the time there is, so there is none for a second attempt.
    ask(DIGEST, partition, request, time, true, answer);
  }

  void silences(ReadSilencesRequest request, CallTime time, Answer<ReadSilencesResponse> answer) {
    ask(SILENCES, request.getPartition(), request, time, request.hasMinOffset(), answer);
  }

  void preview(
      PreviewSilenceRequest request, CallTime time, Answer<PreviewSilenceResponse> answer) {
    ask(PREVIEW, request.getPartition(), request, time, false, answer);
  }

  private <Q, R> void ask(
      Method<Q, R> method,
      int partition,
      Q request,
      CallTime time,
      boolean waits,
      Answer<R> answer) {
    var question = new OwnerQuestion<>(this, method, partition, request, time, waits, answer);
    if (question.mayHedge()) {
      waiting.add(question);
    }
    question.attempt(true);
  }

  /** The question has its answer. */
  void settled(OwnerQuestion<?, ?> question) {
    waiting.remove(question);
  }

  /** A question does not ask a standby beside its owner any more. */
  void hedgeEnded() {
    hedges.decrementAndGet();
  }

  OwnerDirectory directory() {
    return directory;
  }

  OwnerChannels channels() {
    return channels;
  }

  ScheduledExecutorService timer() {
    return timer;
  }

  QueryMetrics metrics() {
    return metrics;
  }

  private void hedge() {
    Iterator<OwnerQuestion<?, ?>> questions = waiting.iterator();
    while (questions.hasNext()) {
      OwnerQuestion<?, ?> question = questions.next();
      if (question.isOlderThan(HEDGE_AFTER)) {
        if (hedges.incrementAndGet() > HEDGES_MAX) {
          hedges.decrementAndGet();
          return;
        }
        questions.remove();
        question.hedge();
      }
    }
  }
}
