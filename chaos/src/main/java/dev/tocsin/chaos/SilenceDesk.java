package dev.tocsin.chaos;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.CreateSilenceRequest;
import dev.tocsin.proto.incidents.ExpireSilenceRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListSilencesRequest;
import dev.tocsin.proto.incidents.PreviewSilenceRequest;
import dev.tocsin.proto.incidents.Silence;
import dev.tocsin.proto.incidents.SilenceState;
import dev.tocsin.proto.incidents.SilencesGrpc;
import dev.tocsin.proto.incidents.SilencesGrpc.SilencesBlockingStub;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Silences that come and go while faults are on. Each hides the groups whose number ends in one odd
 * digit, which are never steered. At the end one lasts, and hides what it should and nothing else.
 *
 * <p>One thread.
 */
final class SilenceDesk implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(2);

  /** Above the time that a request may take: one that has ended cannot be asked for again. */
  private static final Duration LASTS = Ways.ANSWERED_MAX.plusSeconds(30);

  private static final Duration LAST_LASTS = Duration.ofDays(1);

  /** One in so many is left to its time. */
  private static final int LEFT = 4;

  private static final int ODD_DIGITS = 5;

  private final Ways ways;
  private final Differences differences;
  private final LoadCounts counts;
  private final Thread thread = new Thread(this::run, "silences");
  private final CountDownLatch ending = new CountDownLatch(1);
  private Silence last;

  SilenceDesk(Ways ways, Differences differences, LoadCounts counts) {
    this.ways = ways;
    this.differences = differences;
    this.counts = counts;
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /** Leaves one that lasts, and no other. */
  void end() throws InterruptedException {
    ending.countDown();
    thread.join();
  }

  /** Ends at once, whatever is under way. */
  @Override
  public void close() throws InterruptedException {
    ending.countDown();
    thread.interrupt();
    thread.join(2 * Ways.CALL_MAX.toMillis());
  }

  private void run() {
    try {
      do {
        Silence silence = create(LASTS);
        look(silence);
        if (counts.silences.get() % LEFT != 0) {
          expire(silence);
        }
      } while (!ending.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS));
      last = create(LAST_LASTS);
      for (Silence each : list()) {
        if (each.getState() != SilenceState.SILENCE_STATE_ENDED && !isLast(each.getId())) {
          expire(each);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (StatusRuntimeException | NotHealedException e) {
      differences.add("the silences ended with %s", e);
    }
  }

  private Silence create(Duration lasts) throws NotHealedException {
    long number = counts.silences.incrementAndGet();
    CreateSilenceRequest request =
        CreateSilenceRequest.newBuilder()
            .addMatchers(matcher(number))
            .setEnd(Timestamp.newBuilder().setSeconds(Instant.now().plus(lasts).getEpochSecond()))
            .setComment("while parts of Tocsin come and go")
            .setRequestId("silence-" + number)
            .build();
    return answered(stub -> stub.createSilence(request)).getSilence();
  }

  private static String matcher(long number) {
    return "labels.service =~ \"s[0-9]*%d\"".formatted(1 + 2 * (number % ODD_DIGITS));
  }

  /** It is listed as it was created, and a preview says what it hides. */
  private void look(Silence silence) throws NotHealedException {
    List<Silence> listed = list();
    if (listed.stream().noneMatch(each -> each.getId().equals(silence.getId()))) {
      differences.add("%s was created, and is not listed: %s", silence, listed);
    }
    PreviewSilenceRequest request =
        PreviewSilenceRequest.newBuilder().addAllMatchers(silence.getMatchersList()).build();
    for (Incident each : answered(stub -> stub.previewSilence(request)).getIncidentsList()) {
      if (!matches(silence, each)) {
        differences.add("a preview of %s told %s", silence, each);
      }
    }
  }

  private List<Silence> list() throws NotHealedException {
    ListSilencesRequest request = ListSilencesRequest.newBuilder().setIncludeEnded(true).build();
    return answered(stub -> stub.listSilences(request)).getSilencesList();
  }

  private void expire(Silence silence) throws NotHealedException {
    ExpireSilenceRequest request = ExpireSilenceRequest.newBuilder().setId(silence.getId()).build();
    Silence ended = answered(stub -> stub.expireSilence(request)).getSilence();
    if (ended.getState() != SilenceState.SILENCE_STATE_ENDED) {
      differences.add("%s was to be ended, and is %s", silence, ended);
    }
  }

  private <T> T answered(Function<SilencesBlockingStub, T> call) throws NotHealedException {
    return ways.answered(SilencesGrpc::newBlockingStub, call);
  }

  private static boolean matches(Silence silence, Incident incident) {
    String expression = silence.getMatchers(0).replaceAll("^[^\"]*\"|\"$", "");
    return Pattern.matches(expression, incident.getLabelsOrDefault("service", ""));
  }

  private static boolean isOpen(Incident incident) {
    return incident.getStateValue() < IncidentState.INCIDENT_STATE_RESOLVED_VALUE;
  }

  private boolean isLast(String silence) {
    return last != null && last.getId().equals(silence);
  }

  /** One that is hidden and should not be, or the other way round, once all has ended. */
  Optional<Incident> wrong(List<Incident> told) {
    return wrong(last, told);
  }

  /** The same where {@code lasting} is the only silence; null for none. */
  static Optional<Incident> wrong(Silence lasting, List<Incident> told) {
    return told.stream()
        .filter(
            each -> {
              boolean hidden = lasting != null && isOpen(each) && matches(lasting, each);
              return !each.getSilencedBy().equals(hidden ? lasting.getId() : "");
            })
        .findFirst();
  }
}
