package dev.tocsin.ingest;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.protobuf.ByteString;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/**
 * One connection that speaks HTTP/2 (RFC 9113) frame by frame, so that it can do what no gRPC
 * client would. What the server sends is read on a thread of its own and kept in order, unless told
 * not to read. It answers no PING unless told to.
 */
final class Http2Peer implements AutoCloseable {
  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int RST_STREAM = 3;
  static final int SETTINGS = 4;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int WINDOW_UPDATE = 8;
  static final int CONTINUATION = 9;

  static final int ACK = 1;
  static final int END_STREAM = 1;
  static final int END_HEADERS = 4;

  static final int REFUSED_STREAM = 7;
  static final int CANCEL = 8;
  static final int ENHANCE_YOUR_CALM = 11;

  private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
  private static final int FRAMES_KEPT_MAX = 100_000;

  /** A frame as the server sent it. */
  record Frame(int type, int flags, int stream, ByteString body) {
    boolean isAck() {
      return (flags & ACK) != 0;
    }

    /** Of RST_STREAM, or GOAWAY. */
    int error() {
      return body.asReadOnlyByteBuffer().getInt(type == GOAWAY ? 4 : 0);
    }

    /** Of GOAWAY: why, in words. */
    String debug() {
      return body.substring(8).toStringUtf8();
    }
  }

  final Queue<Frame> frames = new ConcurrentLinkedQueue<>();
  private final Socket socket;
  private final DataOutputStream out;
  private final boolean answersPings;
  private volatile boolean ended;

  private Http2Peer(Socket socket, boolean answersPings) throws IOException {
    this.socket = socket;
    this.answersPings = answersPings;
    this.out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
  }

  /** TCP and nothing else. */
  static Http2Peer silent(int port) throws IOException {
    Http2Peer peer = new Http2Peer(connect(port, 0), false);
    peer.read();
    return peer;
  }

  /** With the beginning that the protocol wants. */
  static Http2Peer greeting(int port) throws IOException {
    return silent(port).greet();
  }

  /** The same, and it answers what it is asked, as a live client does. */
  static Http2Peer answering(int port) throws IOException {
    Http2Peer peer = new Http2Peer(connect(port, 0), true);
    peer.read();
    return peer.greet();
  }

  /** Takes nothing from its socket, which holds little. */
  static Http2Peer deaf(int port) throws IOException {
    return new Http2Peer(connect(port, 4096), false).greet();
  }

  private static Socket connect(int port, int receiveBytes) throws IOException {
    Socket socket = new Socket();
    if (receiveBytes > 0) {
      socket.setReceiveBufferSize(receiveBytes);
    }
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10_000);
    return socket;
  }

  private Http2Peer greet() throws IOException {
    return bytes(PREFACE).frame(SETTINGS, 0, 0).flush();
  }

  /** The first half of what begins a connection. */
  Http2Peer halfGreet() throws IOException {
    return bytes(Arrays.copyOf(PREFACE, PREFACE.length / 2)).flush();
  }

  Http2Peer bytes(byte[] bytes) throws IOException {
    out.write(bytes);
    return this;
  }

  Http2Peer frame(int type, int flags, int stream, byte... body) throws IOException {
    out.writeByte(body.length >> 16);
    out.writeShort(body.length);
    out.writeByte(type);
    out.writeByte(flags);
    out.writeInt(stream);
    out.write(body);
    return this;
  }

  synchronized Http2Peer flush() throws IOException {
    out.flush();
    return this;
  }

  /** Begins a call. */
  Http2Peer call(int stream, String method) throws IOException {
    return frame(HEADERS, END_HEADERS, stream, request("/" + method));
  }

  /** One message of a call; the last one if {@code flags} say so. */
  Http2Peer message(int stream, int flags, byte[] message) throws IOException {
    byte[] body =
        ByteBuffer.allocate(5 + message.length)
            .put((byte) 0)
            .putInt(message.length)
            .put(message)
            .array();
    return frame(DATA, flags, stream, body);
  }

  Http2Peer reset(int stream) throws IOException {
    return frame(RST_STREAM, 0, stream, number(CANCEL));
  }

  static byte[] number(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  /** The headers that gRPC wants, each a literal that no table keeps (RFC 7541, 6.2.2). */
  static byte[] request(String path) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    header(block, ":method", "POST");
    header(block, ":scheme", "http");
    header(block, ":path", path);
    header(block, ":authority", "localhost");
    header(block, "content-type", "application/grpc");
    header(block, "te", "trailers");
    return block.toByteArray();
  }

  private static void header(ByteArrayOutputStream block, String name, String value) {
    block.write(0);
    block.write(name.length()); // shorter than 127, as the value is
    block.writeBytes(name.getBytes(US_ASCII));
    block.write(value.length());
    block.writeBytes(value.getBytes(US_ASCII));
  }

  private void read() {
    Thread reader = new Thread(this::readFrames, "http2-peer");
    reader.setDaemon(true);
    reader.start();
  }

  private void readFrames() {
    try {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      for (int kept = 0; kept < FRAMES_KEPT_MAX; kept++) {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        Frame frame = new Frame(type, flags, stream, ByteString.copyFrom(in.readNBytes(length)));
        if (answersPings && type == PING && !frame.isAck()) {
          answer(frame);
        }
        frames.add(frame);
      }
    } catch (IOException e) {
      // the end, however it came
    }
    ended = true;
  }

  private synchronized void answer(Frame ping) throws IOException {
    frame(PING, ACK, 0, ping.body().toByteArray()).flush();
  }

  /** Whether the server has closed, or reset, the connection. */
  boolean isEnded() {
    return ended;
  }

  Http2Peer awaitEnd() {
    Awaitility.await("the connection is closed")
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(10))
        .until(() -> ended);
    return this;
  }

  /** The first frame of this kind that the server sends. */
  Frame await(Predicate<Frame> which) {
    return Awaitility.await("a frame, or the end")
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> frames.stream().filter(which).findFirst().orElseGet(this::orNothing),
            found -> found != null);
  }

  private Frame orNothing() {
    if (ended) {
      throw new AssertionError("the connection ended after " + frames.size() + " frames");
    }
    return null;
  }

  Frame awaitGoAway() {
    return await(frame -> frame.type() == GOAWAY);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
