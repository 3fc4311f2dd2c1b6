package dev.tocsin.query;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import io.grpc.StatusRuntimeException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One ListIncidents call: asks the owners in rounds until its page is done, or its time or rounds
 * are; then the page is short and says where to go on. One owner that does not answer fails it all,
 * and with the call's context ends what the others are still asked. Thread-safe: answers come in
 * any thread.
 */
final class ListCall {
  /**
   * How often the owners are asked for one page at most; page numbers may need more to get there.
   */
  static final int ROUNDS_MAX = 8;

  private final ListQuery query;
  private final CallTime time;
  private final OwnerCalls owners;
  private final QueryMetrics metrics;
  private final Reply<ListIncidentsResponse> reply;
  private final PageWalk walk;

  private int rounds;
  private int awaited;

  /** What standbys said, by partition: the newest, since it tells most. */
  private final Map<Integer, Staleness> stale = new HashMap<>();

  ListCall(
      ListQuery query,
      int partitions,
      CallTime time,
      OwnerCalls owners,
      QueryMetrics metrics,
      Reply<ListIncidentsResponse> reply) {
    this.query = query;
    this.time = time;
    this.owners = owners;
    this.metrics = metrics;
    this.reply = reply;
    this.walk =
        new PageWalk(partitions, query.skip(), query.size(), query.below().map(IncidentId::text));
  }

  /** Asks the first round. Returns at once. */
  synchronized void start() {
    round(walk.asks());
  }

  private void round(List<PageWalk.Ask> asks) {
    rounds++;
    awaited = asks.size();
    asks.forEach(this::ask);
  }

  private void ask(PageWalk.Ask ask) {
    owners.scan(
        request(ask),
        time,
        new OwnerCalls.Answer<>() {
          @Override
          public void is(ScanIncidentsResponse response) {
            take(ask.partition(), response);
          }

          @Override
          public void failed(StatusRuntimeException error) {
            reply.fail(error);
          }
        });
  }

  private ScanIncidentsRequest request(PageWalk.Ask ask) {
    ListFilter filter = query.filter();
    ScanIncidentsRequest.Builder request =
        ScanIncidentsRequest.newBuilder()
            .setPartition(ask.partition())
            .setWorkspace(filter.workspace())
            .setAllowStandby(true)
            .setLimit(ask.limit())
            .addAllStates(filter.states())
            .addAllSeverities(filter.severities())
            .setSource(filter.source())
            .setIncludeSuppressed(filter.includeSuppressed());
    ask.below().ifPresent(below -> request.setBeforeId(ByteString.copyFrom(id(below).bytes())));
    Long minOffset = query.minOffsets().get(ask.partition());
    if (minOffset != null) {
      request.setMinOffset(minOffset);
    }
    return request.build();
  }

  private synchronized void take(int partition, ScanIncidentsResponse response) {
    walk.take(partition, response.getIncidentsList(), text(response.getScannedTo()));
    if (response.hasStaleness()) {
      stale.put(partition, response.getStaleness());
    }
    awaited--;
    if (awaited > 0) {
      return;
    }
    walk.merge();
    List<PageWalk.Ask> asks = walk.asks();
    boolean byNumber = query.skip() > 0;
    if (asks.isEmpty()) {
      finish();
    } else if (byNumber && time.late()) {
      // Not a short page: whoever then asked for the next number would miss some.
      reply.fail(Errors.deadline("the page is too far to be reached in time: use page_token"));
    } else if (!byNumber && (rounds >= ROUNDS_MAX || time.late())) {
      finish();
    } else {
      round(asks);
    }
  }

  private void finish() {
    ListIncidentsResponse.Builder response =
        ListIncidentsResponse.newBuilder().addAllIncidents(walk.page());
    walk.nextBelow().ifPresent(id -> response.setNextPageToken(token(id)));
    if (!stale.isEmpty()) {
      response.setStaleness(staleness());
      metrics.stale();
    }
    metrics.listed(rounds);
    reply.send(response.build());
  }

  /** All partitions' together: entries added up, the greatest age. */
  private Staleness staleness() {
    long entries = stale.values().stream().mapToLong(Staleness::getEntries).sum();
    Duration age =
        stale.values().stream()
            .map(Staleness::getAge)
            .max(Comparator.comparingLong(Duration::getSeconds).thenComparing(Duration::getNanos))
            .orElseThrow();
    return Staleness.newBuilder().setEntries(entries).setAge(age).build();
  }

  private String token(String below) {
    return new PageToken(id(below), query.filter().digest()).text();
  }

  private static Key128 id(String text) {
    return IncidentId.parse(text).orElseThrow();
  }

  /** An id's canonical text; empty if there is none. */
  private static Optional<String> text(ByteString id) {
    return id.isEmpty()
        ? Optional.empty()
        : Optional.of(IncidentId.text(new Key128(id.toByteArray())));
  }
}
