package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AccessLogTest {
  private static final String TOKEN = "a.secret.token";

  private final BlockingQueue<LoggedLine> lines = new LinkedBlockingQueue<>();
  private Server server;
  private ManagedChannel channel;

  @AfterEach
  void stop() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    server.shutdownNow().awaitTermination();
  }

  @Test
  void line_saysWhichCallHowAndByWhom_butNeverATokenOrWhatBreaksTheLine() throws Exception {
    serve(LoggedCalls.ALL);
    call("mine-1", "fine");

    LoggedLine line = lines.poll(10, TimeUnit.SECONDS);
    assertThat(line.text())
        .matches(
            "alerts.AlertIngestion/SubmitAlert OK \\d+ ms, principal an\\?\\?na of shop,"
                + " from /127.0.0.1:\\d+, request mine-1")
        .doesNotContain(TOKEN);
    assertThat(line.fields())
        .containsEntry("rpc.method", "alerts.AlertIngestion/SubmitAlert")
        .containsEntry("rpc.status", "OK")
        .containsEntry("user.name", "an??na")
        .containsEntry("organization.name", "shop")
        .containsEntry("http.request.id", "mine-1")
        .containsEntry("trace.id", "0af7651916cd43dd8448eb211c80319c")
        .containsKeys("event.duration_ms", "client.address")
        .doesNotContainValue(TOKEN);
  }

  @Test
  void failures_alone_whereOnlyTheyAreWanted_withTheIdThatTheCallerHears() throws Exception {
    serve(LoggedCalls.ERRORS);
    call("mine-1", "fine");
    Metadata heard = call("not\u007fplain", "bad");

    LoggedLine line = lines.poll(10, TimeUnit.SECONDS);
    String id = heard.get(AccessLog.REQUEST_ID);
    assertThat(id).matches("[0-9a-f]{32}");
    assertThat(line.text()).contains("INVALID_ARGUMENT").endsWith("request " + id);
    assertThat(lines).isEmpty();
    assertThat(call("mine-2", "bad").getAll(AccessLog.REQUEST_ID)).containsExactly("mine-2");
  }

  @Test
  void off_isOff() throws Exception {
    serve(LoggedCalls.OFF);
    assertThat(call("mine-1", "bad").get(AccessLog.REQUEST_ID)).isEqualTo("mine-1");
    assertThat(lines).isEmpty();
  }

  /** The trailers if it fails, else null. */
  private Metadata call(String id, String title) {
    Metadata headers = new Metadata();
    headers.put(AccessLog.REQUEST_ID, id);
    headers.put(
        Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + TOKEN);
    StatusRuntimeException failure =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                AlertIngestionGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .submitAlert(AlertMessage.newBuilder().setTitle(title).build()));
    return failure == null ? null : failure.getTrailers();
  }

  private void serve(LoggedCalls which) throws Exception {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Alerts())
            .intercept(new Anna())
            .intercept(new AccessLog(which, lines::add))
            .build()
            .start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();
  }

  /** Tells who calls, as guards do. */
  private static final class Anna implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      Context context = new Caller("shop", "an\r\nna").in(Context.current());
      return Contexts.interceptCall(context, call, headers, next);
    }
  }

  private static final class Alerts extends AlertIngestionGrpc.AlertIngestionImplBase {
    @Override
    public void submitAlert(AlertMessage alert, StreamObserver<AlertAck> reply) {
      if (alert.getTitle().equals("bad")) {
        reply.onError(Status.INVALID_ARGUMENT.asRuntimeException());
        return;
      }
      reply.onNext(AlertAck.getDefaultInstance());
      reply.onCompleted();
    }
  }
}
