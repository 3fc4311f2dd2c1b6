package dev.tocsin.examples;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.io.PrintStream;
import java.time.Instant;
import java.util.Iterator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Follows incidents, sends alerts over one stream, and shows what becomes of them: {@code
 * FollowIncidents [HOST:PORT]}. Ends when it has seen an incident of its own.
 */
public final class FollowIncidents {
  private static final int ALERTS = 10;
  private static final long ACKS_MAX_S = 30;

  private FollowIncidents() {}

  /** Runs the example against the server named, or localhost:9000. */
  public static void main(String[] args) throws InterruptedException {
    run(args.length > 0 ? args[0] : "localhost:9000", System.out);
  }

  static void run(String target, PrintStream out) throws InterruptedException {
    ManagedChannel channel =
        Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
    try {
      String source = "java-example-" + Instant.now().toEpochMilli();
      Iterator<IncidentEvent> events = follow(channel, source);
      skipSnapshot(events);
      send(channel, source, out);
      show(events, out);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** What matches now, and then each change, for as long as one likes. */
  private static Iterator<IncidentEvent> follow(ManagedChannel channel, String source) {
    return IncidentServiceGrpc.newBlockingStub(channel)
        .streamIncidents(StreamIncidentsRequest.newBuilder().setSource(source).build());
  }

  /** What matches already; of a source that is new there is nothing. */
  private static void skipSnapshot(Iterator<IncidentEvent> events) {
    while (events.next().getEventType()
        != IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE) {
      // a whole incident as it is
    }
  }

  /** One stream both ways: an alert is on the log when its ack says ACCEPTED. */
  private static void send(ManagedChannel channel, String source, PrintStream out)
      throws InterruptedException {
    CountDownLatch answered = new CountDownLatch(1);
    StreamObserver<AlertMessage> alerts =
        AlertIngestionGrpc.newStub(channel)
            .streamAlerts(
                new StreamObserver<AlertAck>() {
                  @Override
                  public void onNext(AlertAck ack) {
                    out.printf("Alert %s: %s%n", ack.getAlertId(), ack.getStatus());
                  }

                  @Override
                  public void onError(Throwable failure) {
                    out.println("The stream broke: " + failure);
                    answered.countDown();
                  }

                  @Override
                  public void onCompleted() {
                    answered.countDown();
                  }
                });
    for (int i = 0; i < ALERTS; i++) {
      alerts.onNext(
          AlertMessage.newBuilder()
              .setAlertId(source + "-" + i) // sent again, it is not counted twice
              .setSource(source)
              .setTitle("Latency over 5 s")
              .putLabels("service", "checkout")
              .build());
    }
    alerts.onCompleted();
    if (!answered.await(ACKS_MAX_S, TimeUnit.SECONDS)) {
      throw new IllegalStateException("no acks within " + ACKS_MAX_S + " s");
    }
  }

  private static void show(Iterator<IncidentEvent> events, PrintStream out) {
    while (events.hasNext()) {
      IncidentEvent event = events.next();
      out.printf("Event: %s %s%n", event.getEventType(), event.getIncidentId());
      if (event.getEventType() == IncidentEventType.INCIDENT_EVENT_TYPE_CREATED
          || event.getEventType() == IncidentEventType.INCIDENT_EVENT_TYPE_OCCURRED) {
        out.printf(
            "%s: %d occurrences%n",
            event.getIncident().getTitle(), event.getIncident().getOccurrences());
        if (event.getIncident().getOccurrences() == ALERTS) {
          return;
        }
      }
    }
  }
}
