package dev.tocsin.ingest;

import static dev.tocsin.ingest.Http2Peer.number;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.CallOptions;
import io.grpc.Codec;
import io.grpc.CompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Peers that mean harm by what they do to their connection. None of it may touch another, stay
 * open, or fill the log.
 */
@Timeout(240)
final class HostileClientsIT {
  private static final String STREAM =
      AlertIngestionGrpc.getStreamAlertsMethod().getFullMethodName();
  private static final String REFLECTION =
      "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  private static final int MESSAGE_BYTES_MAX = 4 << 20;
  private static final int CALLS_MAX = 1_000;
  private static final int LINES_MAX = 5;
  private static final int SLOW_STREAMS_MAX = 20;
  private static final int PARTIAL_BYTES_MAX = 2 * MESSAGE_BYTES_MAX;

  private static EdgeFixture edge;

  private LoggedLines lines;

  @BeforeAll
  static void open() throws Exception {
    edge =
        EdgeFixture.serving(
            SharedBroker.bootstrap(),
            Map.of(
                "edge.handshake-timeout", "2s",
                "edge.keepalive-time", "10s",
                "edge.keepalive-timeout", "4s",
                "edge.slow-streams-max", Integer.toString(SLOW_STREAMS_MAX),
                "edge.partial-bytes-max", Integer.toString(PARTIAL_BYTES_MAX)));
  }

  @AfterAll
  static void close() {
    edge.close();
  }

  @BeforeEach
  void listen() {
    lines = new LoggedLines();
  }

  @AfterEach
  void nothingStaysAndOthersAreServed() {
    Awaitility.await("the descriptors are back")
        .atMost(Duration.ofSeconds(20))
        .until(() -> edge.gauge("grpc.connections") <= 1);
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> edge.gauge("tocsin.edge.in.flight.alerts") == 0);
    assertThat(edge.gauge("tocsin.edge.in.flight.bytes")).isZero();
    edge.awaitServing();
    assertThat(edge.calls().submitAlert(Alerts.alert("after").build()).getStatus())
        .isEqualTo(AlertAck.Status.ACCEPTED);
    lines.close();
    assertThat(lines.seen()).hasSizeLessThanOrEqualTo(LINES_MAX);
    assertThat(lines.traces()).isEmpty();
  }

  @Test
  void gzipBomb_isExhaustedAndNeverUnpackedWhole() throws Exception {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", edge.server.port())
            .usePlaintext()
            .compressorRegistry(packedAlready())
            .build();
    try {
      byte[] bomb = bomb();
      assertThat(bomb).hasSizeLessThan(MESSAGE_BYTES_MAX);
      long before = transportBytesAllocated();

      StatusRuntimeException error =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  ClientCalls.blockingUnaryCall(
                      channel,
                      raw(AlertIngestionGrpc.getSubmitAlertMethod()),
                      CallOptions.DEFAULT
                          .withCompression("gzip")
                          .withDeadlineAfter(60, TimeUnit.SECONDS),
                      bomb));

      assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(transportBytesAllocated() - before).isLessThan(4L * MESSAGE_BYTES_MAX);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** An alert whose title is a gibibyte of zeros. */
  private static byte[] bomb() throws IOException {
    int part = 1 << 20;
    int parts = 1024;
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    packed.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 0});
    int title = AlertMessage.TITLE_FIELD_NUMBER << 3 | 2;
    byte[] length = {(byte) title, (byte) 0x80, (byte) 0x80, (byte) 0x80, (byte) 0x80, 4};
    packed.writeBytes(deflated(length));
    byte[] zeros = deflated(new byte[part]);
    for (int i = 0; i < parts; i++) {
      packed.writeBytes(zeros);
    }
    try (GZIPInputStream unpacked =
        new GZIPInputStream(new ByteArrayInputStream(packed.toByteArray()))) {
      assertThat(unpacked.readNBytes(part)).startsWith(length).endsWith(0, 0, 0);
    }
    return packed.toByteArray();
  }

  /** In blocks that stand alone, so that they can be repeated. */
  private static byte[] deflated(byte[] plain) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    deflater.setInput(plain);
    byte[] into = new byte[plain.length + 64];
    int length = deflater.deflate(into, 0, into.length, Deflater.FULL_FLUSH);
    deflater.end();
    return Arrays.copyOf(into, length);
  }

  /** By the threads that a server's connections run on, since they started. */
  private static long transportBytesAllocated() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long sum = 0;
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().startsWith("grpc-transport")) {
        sum += threads.getThreadAllocatedBytes(thread.getThreadId());
      }
    }
    return sum;
  }

  @Test
  void metadataOverTheLimit_isExhausted() {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("x-large", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(9 << 10));

    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                edge.calls()
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .submitAlert(Alerts.alert("large headers").build()));

    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void rapidReset_isToldToCalmDownAndOthersAreServedMeanwhile() throws Exception {
    try (Neighbour neighbour = new Neighbour()) {
      for (int round = 0; round < 5; round++) {
        try (Http2Peer peer = Http2Peer.greeting(edge.server.port())) {
          for (int i = 0; i <= CALLS_MAX; i++) {
            peer.call(2 * i + 1, STREAM).reset(2 * i + 1);
          }
          peer.flush();
          Http2Peer.Frame goAway = peer.awaitGoAway();
          assertThat(goAway.error()).isEqualTo(Http2Peer.ENHANCE_YOUR_CALM);
          peer.awaitEnd();
        }
      }
      assertThat(neighbour.worstOfHundred()).isLessThan(Duration.ofSeconds(2));
    }
  }

  @Test
  void pingFlood_isToldThatThereAreTooMany() throws Exception {
    try (Http2Peer peer = Http2Peer.greeting(edge.server.port())) {
      sendUntilItEnds(peer, i -> peer.frame(Http2Peer.PING, 0, 0, new byte[8]));
      Http2Peer.Frame goAway = peer.awaitGoAway();
      assertThat(goAway.error()).isEqualTo(Http2Peer.ENHANCE_YOUR_CALM);
      assertThat(goAway.debug()).isEqualTo("too_many_pings");
      peer.awaitEnd();
    }
  }

  @Test
  void answersToPingsThatNobodySent_doNotFillTheLog() throws Exception {
    try (Http2Peer peer = Http2Peer.greeting(edge.server.port())) {
      for (int i = 0; i < 10_000; i++) {
        peer.frame(Http2Peer.PING, Http2Peer.ACK, 0, new byte[8]);
      }
      peer.flush();
      peer.frame(Http2Peer.PING, 0, 0, new byte[8]).flush();
      peer.await(frame -> frame.type() == Http2Peer.PING && frame.isAck());
    }
  }

  @Test
  void continuationFlood_endsTheConnection() throws Exception {
    try (Http2Peer peer = Http2Peer.greeting(edge.server.port())) {
      peer.frame(Http2Peer.HEADERS, 0, 1, Http2Peer.request("/" + STREAM));
      sendUntilItEnds(peer, i -> peer.frame(Http2Peer.CONTINUATION, 0, 1));
      peer.awaitEnd();
    }
    try (Http2Peer peer = Http2Peer.greeting(edge.server.port())) {
      byte[] block = Http2Peer.request("/" + "x".repeat(100));
      peer.frame(Http2Peer.HEADERS, 0, 1, block);
      sendUntilItEnds(peer, i -> peer.frame(Http2Peer.CONTINUATION, 0, 1, block));
      peer.awaitEnd();
    }
  }

  @Test
  void hundredThousandStreams_areCappedAndThenTheConnectionEnds() throws Exception {
    try (Http2Peer peer = Http2Peer.answering(edge.server.port())) {
      sendUntilItEnds(peer, stream -> peer.call(stream, STREAM));
      peer.awaitEnd();
      List<Http2Peer.Frame> resets =
          peer.frames.stream().filter(f -> f.type() == Http2Peer.RST_STREAM).toList();
      assertThat(resets).allMatch(f -> f.error() == Http2Peer.REFUSED_STREAM);
      assertThat(resets.get(0).stream()).isEqualTo(2 * CALLS_MAX + 1);
    }
  }

  @Test
  void headersThatMakeNoCall_areRefusedWithoutTraces() throws Exception {
    try (Http2Peer peer = Http2Peer.greeting(edge.server.port())) {
      for (int i = 0; i < 500; i++) {
        peer.frame(Http2Peer.HEADERS, Http2Peer.END_HEADERS, 2 * i + 1, Http2Peer.request(""));
      }
      peer.flush();
      peer.await(frame -> frame.stream() == 999);
    }
    try (Http2Peer peer = Http2Peer.silent(edge.server.port())) {
      peer.bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8)).flush();
      peer.awaitEnd();
    }
  }

  @Test
  void peersThatSayNothingOrHalfOfIt_areClosedByTheTimeOut() throws Exception {
    List<Http2Peer> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) {
        slow.add(Http2Peer.silent(edge.server.port()));
        slow.add(Http2Peer.silent(edge.server.port()).halfGreet());
      }
      slow.forEach(Http2Peer::awaitEnd);
      assertThat(slow).as("each was accepted first").noneMatch(peer -> peer.frames.isEmpty());
    } finally {
      for (Http2Peer peer : slow) {
        peer.close();
      }
    }
  }

  @Test
  void peersThatAnswerOrTakeNothing_areGoneWithTheirCallsAndLiveOnesStay() throws Exception {
    try (Http2Peer gone = Http2Peer.greeting(edge.server.port());
        Http2Peer deaf = Http2Peer.deaf(edge.server.port());
        Http2Peer alive = Http2Peer.answering(edge.server.port())) {
      byte[] alert = Alerts.alert("half open").build().toByteArray();
      gone.call(1, STREAM).message(1, 0, alert).flush();
      alive.call(1, STREAM).message(1, 0, alert).flush();
      fillItsSocket(deaf);
      gone.await(frame -> frame.type() == Http2Peer.DATA);
      gone.awaitEnd();

      Awaitility.await("the other is closed too, though it keeps its end open")
          .atMost(Duration.ofSeconds(30))
          .until(() -> edge.gauge("grpc.connections") <= 2);
      alive.await(frame -> frame.type() == Http2Peer.PING && !frame.isAck());
      alive.message(1, 0, alert).flush();
      Awaitility.await().until(() -> count(alive, Http2Peer.DATA) == 2);
      assertThat(alive.isEnded()).isFalse();
    }
  }

  @Test
  void streamsThatTakeNoAnswers_areCutTheLongestFirst() throws Exception {
    int cut = 5;
    double before = edge.count("tocsin.edge.streams.cut");
    byte[] alert = Alerts.alert("untaken").build().toByteArray();
    byte[] noWindow = {0, 4, 0, 0, 0, 0};
    try (Http2Peer peer = Http2Peer.answering(edge.server.port())) {
      peer.frame(Http2Peer.SETTINGS, 0, 0, noWindow);
      for (int i = 0; i < SLOW_STREAMS_MAX + cut; i++) {
        if (i == SLOW_STREAMS_MAX) {
          Thread.sleep(SlowStreams.PATIENCE.toMillis()); // the time itself is what they are cut for
        }
        int stream = 2 * i + 1;
        int slow = Math.min(i + 1, SLOW_STREAMS_MAX);
        peer.call(stream, STREAM);
        for (int j = 0; j < 400; j++) { // whose answers are more than the transport buffers
          peer.message(stream, 0, alert);
        }
        peer.flush();
        Awaitility.await("it waits for its caller")
            .atMost(Duration.ofSeconds(20))
            .until(() -> edge.gauge("tocsin.edge.streams.slow") == slow);
      }
      peer.await(frame -> isReset(frame, 2 * cut - 1));
      assertThat(peer.frames.stream().filter(f -> f.type() == Http2Peer.RST_STREAM))
          .extracting(Http2Peer.Frame::stream)
          .containsExactly(1, 3, 5, 7, 9);
      assertThat(edge.count("tocsin.edge.streams.cut") - before).isEqualTo(cut);
    }
    Awaitility.await().until(() -> edge.gauge("tocsin.edge.streams.slow") == 0);
  }

  @Test
  void messagesThatAreNeverFinished_areDroppedTheOldestFirst() throws Exception {
    double before = edge.count("tocsin.calls.reset.partial");
    int part = 16 << 10; // the largest frame
    int parts = 30; // what a stream may send before the edge has read any of it
    byte[] header = {0, 0, MESSAGE_BYTES_MAX >> 16, 0, 0};
    try (Http2Peer peer = Http2Peer.answering(edge.server.port())) {
      int fit = PARTIAL_BYTES_MAX / (part * parts);
      long sent = 0;
      for (int i = 0; resets(peer).count() < 2; i++) {
        assertThat(i).isLessThanOrEqualTo(fit + 2);
        int stream = 2 * i + 1;
        peer.call(stream, STREAM).frame(Http2Peer.DATA, 0, stream, header);
        sent += header.length;
        for (int j = 0; j < parts; j++) {
          sent += part;
          long needed = sent;
          Awaitility.await("the server lets as much be sent")
              .pollInterval(Duration.ofMillis(1))
              .until(() -> connectionWindow(peer) >= needed);
          peer.frame(Http2Peer.DATA, 0, stream, new byte[part]).flush();
        }
        assertThat(resets(peer).count()).isLessThanOrEqualTo(Math.max(0, i - fit / 2));
      }
      assertThat(resets(peer)).extracting(Http2Peer.Frame::stream).startsWith(1, 3);
      assertThat(resets(peer)).allMatch(frame -> frame.error() == Http2Peer.CANCEL);
      assertThat(edge.count("tocsin.calls.reset.partial") - before)
          .isGreaterThanOrEqualTo(2)
          .isEqualTo((double) resets(peer).count());
    }
  }

  @Test
  void requestsThatAreNeverHandedIn_areDroppedTheOldestFirst() throws Exception {
    String method = AlertIngestionGrpc.getSubmitAlertsMethod().getFullMethodName();
    byte[] whole =
        AlertBatch.newBuilder()
            .addAlerts(Alerts.alert("never handed in").setDescription("x".repeat(15 << 10)))
            .build()
            .toByteArray();
    double before = edge.count("tocsin.calls.reset.partial");
    try (Http2Peer peer = Http2Peer.answering(edge.server.port())) {
      for (int i = 0; resets(peer).findAny().isEmpty(); i++) {
        assertThat(i).isLessThanOrEqualTo(2 * PARTIAL_BYTES_MAX / whole.length);
        peer.call(2 * i + 1, method).message(2 * i + 1, 0, whole).flush();
      }
      assertThat(resets(peer).findFirst().orElseThrow().stream()).isEqualTo(1);
      assertThat(edge.count("tocsin.calls.reset.partial")).isGreaterThan(before);
    }
  }

  private static Stream<Http2Peer.Frame> resets(Http2Peer peer) {
    return peer.frames.stream().filter(frame -> frame.type() == Http2Peer.RST_STREAM);
  }

  /** How much the peer may have sent on all its streams by now. */
  private static long connectionWindow(Http2Peer peer) {
    return 65_535
        + peer.frames.stream()
            .filter(f -> f.type() == Http2Peer.WINDOW_UPDATE && f.stream() == 0)
            .mapToLong(f -> f.body().asReadOnlyByteBuffer().getInt())
            .sum();
  }

  private static boolean isReset(Http2Peer.Frame frame, int stream) {
    return frame.type() == Http2Peer.RST_STREAM
        && frame.stream() == stream
        && frame.error() == Http2Peer.CANCEL;
  }

  private static long count(Http2Peer peer, int type) {
    return peer.frames.stream().filter(f -> f.type() == type).count();
  }

  /** Asks for some ten megabytes, and would let all of them be sent. */
  private static void fillItsSocket(Http2Peer deaf) throws IOException {
    int window = 1 << 30;
    byte[] initialWindow = {0, 4, 0x40, 0, 0, 0};
    deaf.frame(Http2Peer.SETTINGS, 0, 0, initialWindow);
    deaf.frame(Http2Peer.WINDOW_UPDATE, 0, 0, number(window));
    byte[] symbol = AlertIngestionGrpc.SERVICE_NAME.getBytes(UTF_8);
    ByteArrayOutputStream question = new ByteArrayOutputStream();
    question.write(0x22); // file_containing_symbol
    question.write(symbol.length);
    question.writeBytes(symbol);
    for (int i = 0; i < CALLS_MAX; i++) {
      deaf.call(2 * i + 1, REFLECTION).message(2 * i + 1, 0, question.toByteArray());
    }
    deaf.flush();
  }

  private interface Sending {
    Object send(int stream) throws IOException;
  }

  /** A hundred thousand times, or until the server does not take any more. */
  private static void sendUntilItEnds(Http2Peer peer, Sending sending) {
    try {
      for (int i = 0; i < 100_000 && !peer.isEnded(); i++) {
        sending.send(2 * i + 1);
      }
      peer.flush();
    } catch (IOException e) {
      // the server has closed the connection
    }
  }

  /** Somebody who only asks whether the server is well, one question after the other. */
  private static final class Neighbour implements AutoCloseable {
    private final AtomicBoolean done = new AtomicBoolean();
    private final List<Long> tookNanos = Collections.synchronizedList(new ArrayList<>());
    private final Thread thread = new Thread(this::ask, "neighbour");
    private volatile RuntimeException failed;

    Neighbour() {
      thread.start();
    }

    private void ask() {
      var health = HealthGrpc.newBlockingStub(edge.channel);
      try {
        while (!done.get()) {
          long begunNanos = System.nanoTime();
          health
              .withDeadlineAfter(30, TimeUnit.SECONDS)
              .check(HealthCheckRequest.getDefaultInstance());
          tookNanos.add(System.nanoTime() - begunNanos);
        }
      } catch (RuntimeException e) {
        failed = e;
      }
    }

    /** The 99th of a hundred. */
    Duration worstOfHundred() throws InterruptedException {
      done.set(true);
      thread.join(30_000);
      assertThat(failed).isNull();
      assertThat(tookNanos).isNotEmpty();
      Collections.sort(tookNanos);
      return Duration.ofNanos(tookNanos.get(tookNanos.size() * 99 / 100));
    }

    @Override
    public void close() {
      done.set(true);
    }
  }

  private static MethodDescriptor<byte[], byte[]> raw(MethodDescriptor<?, ?> method) {
    return method.toBuilder(new Bytes(), new Bytes()).build();
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("no answer is expected");
    }
  }

  private static CompressorRegistry packedAlready() {
    CompressorRegistry registry = CompressorRegistry.newEmptyInstance();
    registry.register(new PackedAlready());
    return registry;
  }

  /** What is sent under it is gzip already. */
  private static final class PackedAlready implements Codec {
    @Override
    public String getMessageEncoding() {
      return "gzip";
    }

    @Override
    public InputStream decompress(InputStream in) {
      return in;
    }

    @Override
    public OutputStream compress(OutputStream out) {
      return out;
    }
  }
}
