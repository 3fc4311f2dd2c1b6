package dev.tocsin.query;

import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.GetDigestRequest;
import dev.tocsin.proto.admin.GetDigestResponse;
import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.GetProgressResponse;
import dev.tocsin.proto.admin.PartitionDigest;
import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.proto.state.ReadProgressResponse;
import dev.tocsin.runtime.Errors;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/**
 * The operator's view of all partitions: asks one owner after the other, so that a digest, which
 * reads everything, keeps only one of them busy. Thread-safe.
 */
final class AdminReads extends AdminGrpc.AdminImplBase {
  private static final int CALLS_MAX = 16;
  private static final Duration DIGEST_MAX = Duration.ofMinutes(10);

  private final QueryConfig config;
  private final OwnerDirectory directory;
  private final OwnerCalls owners;
  private final Semaphore calls = new Semaphore(CALLS_MAX);

  /** Asks one partition's owner. */
  private interface Ask<P> {
    void of(int partition, OwnerCalls.Answer<P> answer);
  }

  AdminReads(QueryConfig config, OwnerDirectory directory, OwnerCalls owners) {
    this.config = config;
    this.directory = directory;
    this.owners = owners;
  }

  @Override
  public void getDigest(GetDigestRequest request, StreamObserver<GetDigestResponse> replies) {
    CallTime time = CallTime.of(Context.current().getDeadline(), true, DIGEST_MAX);
    walk(
        replies,
        (partition, answer) -> owners.digest(partition, time, answer),
        AdminReads::digests);
  }

  @Override
  public void getProgress(GetProgressRequest request, StreamObserver<GetProgressResponse> replies) {
    CallTime time = CallTime.of(Context.current().getDeadline(), false, config.timeout());
    walk(
        replies,
        (partition, answer) -> owners.progress(partition, time, answer),
        AdminReads::progress);
  }

  private <P, R> void walk(StreamObserver<R> replies, Ask<P> ask, Function<List<P>, R> whole) {
    Assignment assignment = directory.current();
    if (!assignment.known()) {
      replies.onError(
          Errors.unavailable("it is not known yet who owns what", OwnerCalls.RETRY_AFTER));
      return;
    }
    try {
      new Walk<>(assignment.partitions(), ask, whole, Reply.open(replies, calls)).next();
    } catch (StatusRuntimeException refused) {
      replies.onError(refused);
    }
  }

  private static GetDigestResponse digests(List<ReadDigestResponse> all) {
    GetDigestResponse.Builder whole = GetDigestResponse.newBuilder();
    DigestTotal content = new DigestTotal();
    DigestTotal exact = new DigestTotal();
    for (int partition = 0; partition < all.size(); partition++) {
      ReadDigestResponse part = all.get(partition);
      whole.addPartitions(
          PartitionDigest.newBuilder()
              .setPartition(partition)
              .setAppliedOffset(part.getAppliedOffset())
              .setIncidents(part.getIncidents())
              .setContent(part.getContent())
              .setExact(part.getExact()));
      whole.setIncidents(whole.getIncidents() + part.getIncidents());
      content.add(part.getContent());
      exact.add(part.getExact());
    }
    return whole.setContent(content.text()).setExact(exact.text()).build();
  }

  private static GetProgressResponse progress(List<ReadProgressResponse> all) {
    GetProgressResponse.Builder whole = GetProgressResponse.newBuilder();
    for (int partition = 0; partition < all.size(); partition++) {
      int wanted = partition;
      PartitionProgress part =
          all.get(partition).getPartitionsList().stream()
              .filter(each -> each.getPartition() == wanted)
              .findAny()
              .orElseThrow(
                  () ->
                      Errors.unavailable("partition " + wanted + " moves", OwnerCalls.RETRY_AFTER));
      whole.addPartitions(part);
    }
    return whole.build();
  }

  /** One call: partition after partition, each asked when the one before has answered. */
  private static final class Walk<P, R> implements OwnerCalls.Answer<P> {
    private final int partitions;
    private final Ask<P> ask;
    private final Function<List<P>, R> whole;
    private final Reply<R> reply;
    private final List<P> parts = new ArrayList<>();

    Walk(int partitions, Ask<P> ask, Function<List<P>, R> whole, Reply<R> reply) {
      this.partitions = partitions;
      this.ask = ask;
      this.whole = whole;
      this.reply = reply;
    }

    void next() {
      ask.of(parts.size(), this);
    }

    @Override
    public void is(P part) {
      parts.add(part);
      if (parts.size() < partitions) {
        next();
        return;
      }
      R response;
      try {
        response = whole.apply(parts);
      } catch (StatusRuntimeException e) {
        failed(e);
        return;
      }
      reply.send(response);
    }

    @Override
    public void failed(StatusRuntimeException error) {
      reply.fail(error);
    }
  }
}
