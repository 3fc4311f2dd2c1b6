package dev.tocsin.query;

import io.grpc.StatusRuntimeException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** One question to the owners of all partitions at once. */
final class AllPartitions {
  /** Asks one partition's owner. */
  interface Ask<P> {
    void of(int partition, OwnerCalls.Answer<P> answer);
  }

  private AllPartitions() {}

  /**
   * The answers, by partition; or the first error, a {@link StatusRuntimeException}. What depends
   * on it runs in the thread of the last answer.
   */
  @SuppressWarnings("unchecked") // an array of what is only put in and taken out here
  static <P> CompletableFuture<List<P>> ask(int partitions, Ask<P> ask) {
    CompletableFuture<List<P>> all = new CompletableFuture<>();
    Object[] answers = new Object[partitions];
    AtomicInteger awaited = new AtomicInteger(partitions);
    for (int partition = 0; partition < partitions; partition++) {
      int at = partition;
      ask.of(
          partition,
          new OwnerCalls.Answer<>() {
            @Override
            public void is(P response) {
              answers[at] = response;
              if (awaited.decrementAndGet() == 0) {
                all.complete((List<P>) Arrays.asList(answers));
              }
            }

            @Override
            public void failed(StatusRuntimeException error) {
              all.completeExceptionally(error);
            }
          });
    }
    return all;
  }
}
